/**
 * `linux.intelRdt`: a share of the last-level cache and of the memory's bandwidth, by the files of resctrl.
 *
 * @see config-linux.md#intelrdt, https://docs.kernel.org/filesystems/resctrl.html
 * @module
 */
import { ConfigError, type Pointer } from "../errors.ts";
import { readMountinfo } from "../host/mountinfo.ts";
import { attempt } from "../linux/deno_error.ts";
import { isErrno } from "../linux/libc.ts";
import type { IntelRdt } from "../spec/linux.ts";

const POINTER = "/linux/intelRdt";

/** The groups of a container, as directories by their absolute paths. */
export interface ResctrlGroups {
  /** That its processes are in: its class of service, and its monitoring group if it has one. */
  readonly paths: readonly string[];
  /** Those among them that go with it, in this order. */
  readonly own: readonly string[];
}

/** A line for the file `schemata`. */
interface Schema {
  /** "L3:0=ff;1=f" */
  readonly line: string;
  readonly pointer: Pointer;
}

/**
 * The groups that a container will be in. Nothing is made yet.
 *
 * A class of service that config.json names is shared, and stays. Neither does what was there before us go with us.
 *
 * @param root where resctrl is mounted
 * @throws {ConfigError} if it is not
 */
export function planResctrl(
  { closID, enableMonitoring }: IntelRdt,
  id: string,
  root = findResctrl(),
): ResctrlGroups {
  if (root === undefined) {
    throw new ConfigError(
      POINTER,
      "intelRdt is specified in config, but Intel RDT is not supported or enabled: no resctrl is mounted",
    );
  }
  const group = closID === "/" ? root : `${root}/${closID || id}`;
  const monitors = enableMonitoring ? [`${group}/mon_groups/${id}`] : [];
  const own = closID ? monitors : [...monitors, group];
  return { paths: [group, ...monitors], own: own.filter((path) => !exists(path)) };
}

/** The kernel offers /sys/fs/resctrl, but mounts nothing there. */
function findResctrl(): string | undefined {
  return readMountinfo().find(({ type }) => type === "resctrl")?.mountPoint;
}

/**
 * Makes the groups that are not there, and moves a process into them; its children will be there too.
 *
 * The schemata of a group that is there are another's, and are not changed.
 *
 * @throws {ConfigError} if they are not what is asked for, or there is no group and none is asked for
 * @throws {SyscallError} if the kernel refuses it
 */
export function enterResctrl({ paths }: ResctrlGroups, rdt: IntelRdt, pid: number): void {
  const [group = "", ...monitors] = paths;
  const schemata = schemataOf(rdt);
  if (rdt.closID && schemata.length === 0) {
    if (!exists(group)) {
      throw new ConfigError(`${POINTER}/closID`, `${group} must be there when no schemata are given`);
    }
  } else if (makeGroup(group, POINTER)) {
    writeSchemata(group, schemata);
  } else {
    compareSchemata(group, schemata);
  }
  monitors.forEach((monitor) => makeGroup(monitor, `${POINTER}/enableMonitoring`));
  joinResctrl(paths, pid);
}

/** Moves one process: into a monitoring group it can come only from the group above. */
export function joinResctrl(paths: readonly string[], pid: number): void {
  for (const path of paths) write(`${path}/tasks`, `${pid}`, POINTER);
}

/**
 * Changes the schemata of their class of service, and leaves what `rdt` does not name.
 *
 * @throws {SyscallError} if the kernel refuses a line
 */
export function updateResctrl({ paths: [group] }: ResctrlGroups, rdt: IntelRdt): void {
  for (const { line, pointer } of schemataOf(rdt)) write(`${group}/schemata`, `${line}\n`, pointer);
}

/** Their processes, if any are left, go to the default groups. */
export function removeResctrl({ own }: ResctrlGroups): void {
  for (const path of own) {
    try {
      attempt("rmdir", { path }, () => Deno.removeSync(path));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
}

function schemataOf({ l3CacheSchema, memBwSchema, schemata = [] }: IntelRdt): Schema[] {
  return [
    ...(l3CacheSchema ?? "").split("\n").map((line) => ({ line, pointer: `${POINTER}/l3CacheSchema` })),
    { line: memBwSchema ?? "", pointer: `${POINTER}/memBwSchema` },
    ...schemata.map((line, index) => ({ line, pointer: `${POINTER}/schemata/${index}` })),
  ].filter(({ line }) => line !== "");
}

/** One by one, so that an error names its member. */
function writeSchemata(group: string, schemata: readonly Schema[]): void {
  try {
    // A line without an end is refused.
    for (const { line, pointer } of schemata) write(`${group}/schemata`, `${line}\n`, pointer);
  } catch (error) {
    // With half of its schemata it would be in the way of the next try.
    removeResctrl({ paths: [], own: [group] });
    throw error;
  }
}

function compareSchemata(group: string, schemata: readonly Schema[]): void {
  if (schemata.length === 0) return;
  const path = `${group}/schemata`;
  const text = attempt("read", { path, pointer: POINTER }, () => Deno.readTextFileSync(path));
  const found = new Map(text.split("\n").flatMap(domainsOf));
  // Where two lines are about the same the later one counts, as it does when they are written.
  const wanted = new Map(
    schemata.flatMap(({ line, pointer }) =>
      domainsOf(line).map(([domain, value]) => [domain, { line, pointer, value }] as const)
    ),
  );
  for (const [domain, { line, pointer, value }] of wanted) {
    if (found.get(domain) === value) continue;
    throw new ConfigError(
      pointer,
      `"${line}" does not match ${path}, which has ${domain}=${found.get(domain) ?? ""}`,
    );
  }
}

/** `L3:0=0ff;1=f` gives `L3:0` ff and `L3:1` f. The kernel pads what it prints, numbers with zeros or with spaces. */
function domainsOf(line: string): [domain: string, value: string][] {
  const [resource = "", list] = line.split(":");
  return (list?.split(";") ?? []).map((domain) => {
    const [id = "", value = ""] = domain.split("=");
    return [`${resource.trim()}:${short(id)}`, short(value)];
  });
}

function short(number: string): string {
  return number.trim().toLowerCase().replace(/^(0x)?0*(?=.)/, "");
}

/** @returns false if it is there already */
function makeGroup(path: string, pointer: Pointer): boolean {
  try {
    attempt("mkdir", { path, pointer }, () => Deno.mkdirSync(path, { mode: 0o755 }));
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** One write(2). */
function write(path: string, value: string, pointer: Pointer): void {
  const detail = `write ${JSON.stringify(value)} to ${path}`;
  attempt("write", { path, detail, pointer }, () => Deno.writeTextFileSync(path, value, { create: false }));
}
