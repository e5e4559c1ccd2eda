/**
 * What Docker and Podman ask for, in containers of busybox: what is to be seen from inside is what config.json says, and
 * what runc and crun make of the same bundle, up to the differences that are explained here.
 */

import { assertEquals } from "@std/assert";
import { CAPABILITIES } from "../../runtime/linux/generated/capabilities.ts";
import { parseMountOptions } from "../../runtime/plan/mount_options.ts";
import type { Config, Process } from "../../runtime/spec/config.ts";
import { type BundleOptions, engineConfig, engineConfigs } from "../support/bundle.ts";
import { afterMounting, type Box, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";
import { parseProbe, probeScript } from "../support/probe.ts";
import { Pty } from "../support/pty.ts";

const BITS: ReadonlyMap<string, bigint> = new Map(
  CAPABILITIES.map((name, number) => [name, 1n << BigInt(number)]),
);
const HELD = BigInt(`0x${/^CapPrm:\t(.*)$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]}`);

const LIMITS: Readonly<Record<string, string>> = {
  RLIMIT_NOFILE: "Max open files",
  RLIMIT_NPROC: "Max processes",
};
const HARD_LIMITS = Deno.readTextFileSync("/proc/self/limits");

/**
 * What this machine cannot do for a golden config, and why: whoever lacks CAP_SYS_RESOURCE can neither give that on nor
 * raise a hard limit.
 */
function adapt({ process }: Config): { process: Partial<Process>; notes: string[] } {
  const { capabilities = {}, rlimits = [] } = process!;
  const notes = new Set<string>();
  const sets = Object.entries(capabilities).map(([set, names]: [string, readonly string[]]) => [
    set,
    names.filter((name) => {
      const held = (HELD & BITS.get(name)!) !== 0n;
      if (!held) notes.add(`without ${name}, which we do not hold`);
      return held;
    }),
  ]);
  const limits = rlimits.map(({ type, soft, hard }) => {
    const own = Number(new RegExp(`^${LIMITS[type]} +\\S+ +(\\d+)`, "m").exec(HARD_LIMITS)?.[1] ?? Infinity);
    const least = (limit: number | bigint) => Math.min(Number(limit), own);
    if (least(hard) < hard) notes.add(`${type} ${own}, which is our own`);
    return { type, soft: least(soft), hard: least(hard) };
  });
  return { process: { capabilities: Object.fromEntries(sets), rlimits: limits }, notes: [...notes] };
}

function bundleOf(name: string, config: Config, box: Box): BundleOptions {
  const { maskedPaths = [], uidMappings } = config.linux!;
  return {
    golden: name,
    config: {
      // Debian 12's crun takes none above.
      ociVersion: "1.0.2",
      process: adapt(config).process,
      linux: { cgroupsPath: `/${box.id}` },
      // Of the engine's own program.
      hooks: null,
    },
    script: probeScript(maskedPaths),
    image: (rootfs) => {
      if (uidMappings === undefined) return;
      const owner = `${uidMappings[0]!.hostID}:${uidMappings[0]!.hostID}`;
      new Deno.Command("chown", { args: ["-hR", owner, rootfs] }).outputSync();
    },
  };
}

/** Runs the bundle, and says what it sees. */
async function look(box: Box, bundle: { path: string; config: Config }, runtime: string): Promise<string[]> {
  const command = box.command(bundle.path, {
    runtime: runtime === "hako" ? HAKO : [runtime],
    under: runtime === "crun" ? hybrid(box) : [],
  });
  let output: string;
  if (bundle.config.process!.terminal) {
    using pty = new Pty();
    assertEquals(await pty.run(command), 0, pty.output);
    output = pty.output;
  } else {
    // No /dev/null: crun 1.8 gives that of the host to the user.
    const { status, stdout, stderr } = await run(command, { stdin: "" });
    assertEquals([status, runtime === "hako" ? stderr : ""], [0, ""], `${runtime}: ${stderr}`);
    output = stdout;
  }
  return parseProbe(output.replaceAll(new RegExp(`${box.id}(-\\d+)?`, "g"), "ID")).sort();
}

/** crun 1.8 runs beside cgroup v1 only where cgroup v2 has no controller left. */
function hybrid({ directory }: Box): string[] {
  return afterMounting(`
    mkdir -p ${directory}/hugetlb
    # Busy while a cgroup of somebody else's has it.
    for try in $(seq 50); do
      ! mount -t cgroup -o hugetlb cgroup ${directory}/hugetlb 2>/dev/null || break
      [ -s /sys/fs/cgroup/unified/cgroup.controllers ] || break
      sleep 0.1
    done`);
}

/** Lines that a container of `config` has to show. */
function expectedLines({ process, linux, hostname }: Config): string[] {
  const { user, capabilities = {}, rlimits = [], env = [], noNewPrivileges, oomScoreAdj } = process!;
  const { sysctl = {}, devices = [], uidMappings } = linux!;
  const mask = (names: readonly string[] = []) =>
    names.reduce((all, name) => all | BITS.get(name)!, 0n).toString(16).padStart(16, "0");
  // The program of another user than root has what is ambient.
  const [permitted, effective] = user.uid === 0
    ? [capabilities.permitted, capabilities.effective]
    : [capabilities.ambient, capabilities.ambient];
  const octal = (mode: number) => mode.toString(8);
  const hex = (number: number) => number.toString(16);
  return [
    `status Uid: ${Array(4).fill(user.uid).join(" ")}`,
    `status Gid: ${Array(4).fill(user.gid).join(" ")}`,
    `status Groups: ${(user.additionalGids ?? []).join(" ")}`.trim(),
    `status CapInh: ${mask(capabilities.inheritable)}`,
    `status CapPrm: ${mask(permitted)}`,
    `status CapEff: ${mask(effective)}`,
    `status CapBnd: ${mask(capabilities.bounding)}`,
    `status CapAmb: ${mask(capabilities.ambient)}`,
    `status NoNewPrivs: ${noNewPrivileges ? 1 : 0}`,
    `status Seccomp: ${linux!.seccomp === undefined ? 0 : 2}`,
    "status SigBlk: 0000000000000000",
    "status NSpid: 1",
    ...env.map((entry) => `environ ${entry}`),
    `environ HOME=${user.uid === 0 ? "/root" : "/home/user"}`,
    `hostname ${hostname}`,
    `cwd ${process!.cwd}`,
    `umask ${octal(user.umask ?? 0o022).padStart(4, "0")}`,
    `oom_score_adj ${oomScoreAdj ?? 0}`,
    ...[0, 1, 2].map((fd) => `fd ${fd}`),
    "network lo inet 127.0.0.1/8 scope host lo\\ valid_lft forever preferred_lft forever",
    ...rlimits.map(({ type, soft, hard }) =>
      `limit ${LIMITS[type]} ${soft} ${hard} ${type === "RLIMIT_NOFILE" ? "files" : "processes"}`
    ),
    ...Object.entries(sysctl).map(([key, value]) => `sysctl ${key.replaceAll(".", "/")} ${value}`),
    // Nodes bound from the host keep their owners, who are nobody in a user namespace.
    ...(uidMappings === undefined
      ? [["null", 3], ["zero", 5], ["full", 7], ["random", 8], ["urandom", 9]] as const
      : []).map(([name, minor]) => `dev /dev/${name} character special file 666 0:0 1:${minor}`),
    ...devices.filter(({ path }) => path !== "/dev/ptmx").map((
      { path, type, fileMode, uid, gid, major, minor },
    ) =>
      `dev ${path} ${type === "b" ? "block" : "character"} special file ${octal(fileMode!)} ${uid}:${gid} ${
        hex(major!)
      }:${hex(minor!)}`
    ),
    ...Object.entries({ ptmx: "pts/ptmx", fd: "/proc/self/fd", stdin: "/proc/self/fd/0" })
      .map(([name, to]) => `dev /dev/${name} to ${to}`),
  ];
}

/** Options that mountinfo shows of a mount, for what config.json asks of it. */
const SHOWN = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"];

/** What is not as `config` has it of mounts, masked paths and read-only paths. */
function wrongPaths({ mounts = [], linux, root }: Config, lines: readonly string[]): string[] {
  const shown = (path: string) =>
    lines.filter((line) => line.startsWith(`mount ${path} `)).map((line) => line.split(" ")[5]!.split(","));
  const needs = (path: string, options: readonly string[]) =>
    shown(path).some((found) => options.every((option) => found.includes(option)))
      ? []
      : [`${path} is no mount with ${options}`];
  const exists = (path: string) => !lines.includes(`file ${path} missing`);
  return [
    ...needs("/", root.readonly ? ["ro"] : ["rw"]),
    ...mounts.flatMap(({ destination, options = [] }) => {
      const { attributes } = parseMountOptions(options);
      const asked = SHOWN.filter((option) => options.includes(option));
      return needs(destination, (attributes.set & 1) === 0 ? ["rw", ...asked] : asked);
    }),
    ...(linux?.readonlyPaths ?? []).filter((path) => shown(path).length > 0).flatMap((path) =>
      needs(path, ["ro"])
    ),
    ...(linux?.maskedPaths ?? []).filter(exists).filter((path) =>
      !lines.includes(`file ${path} 0 bytes`) && !lines.includes(`file ${path} 0 entries`)
    ).map((path) => `${path} is not masked`),
  ];
}

for (const name of engineConfigs()) {
  const original = engineConfig(name);
  const notes = adapt(original).notes.map((note) => ` (${note})`).join("");
  containerTest(`${name}${notes}: all that config.json says is to be seen`, async (box) => {
    const bundle = box.bundle(bundleOf(name, original, box));
    const lines = await look(box, bundle, "hako");
    assertEquals(expectedLines(bundle.config).filter((line) => !lines.includes(line)), []);
    assertEquals(wrongPaths(bundle.config, lines), []);
  });

  for (const peer of ["runc", "crun"] as const) {
    containerTest(`${name}${notes}: as ${peer} has it`, async (box) => {
      const bundle = box.bundle(bundleOf(name, original, box));
      const [ours, theirs] = [await look(box, bundle, "hako"), await look(box, bundle, peer)];
      assertEquals(unexplained(ours, theirs, peer), []);
    }, { needs: [peer], skip: unknownVersion(peer) });
  }
}

/** By the peers that they are of, and the lines that are ours alone or theirs alone. */
const DIFFERENCES: readonly [peers: string, lines: RegExp, reason: string][] = [
  ["runc crun", /^status SigIgn: /, "they pass on what their caller ignores: Deno 32 and 33"],
  ["runc", /^dev \/dev\/core /, "runc makes the link only where /proc/kcore is"],
  ["runc crun", /^mount \/sys\/fs\/cgroup\/unified /, "beside cgroup v1 they do not show cgroup v2"],
  ["runc", /^mount \/sys\/fs\/cgroup tmpfs /, "runc 1.1 leaves the directory of hierarchies writable"],
  [
    "crun",
    /^mount \/sys\/fs\/cgroup tmpfs /,
    "crun leaves it writable as well, and gives it another size and source",
  ],
  ["runc", /^mount \/sys sysfs /, "mount(2) makes the filesystem read-only too, fsmount(2) the mount alone"],
  ["runc", /^mount \/proc\/(keys|timer_list) tmpfs /, "runc masks files with the /dev/null of the container"],
  ["runc", /^mount \/proc\/(keys|timer_list) devtmpfs /, "and we with the host's, read-only, as crun does"],
  [
    "runc crun",
    /^mount \/(proc\/acpi|sys\/firmware|sys\/dev\/block) tmpfs /,
    "ours has room for nothing, and no flags",
  ],
  ["crun", /^mount \/proc\/(bus|fs|irq|sys) proc /, "crun 1.8 drops the flags of /proc on read-only paths"],
  ["crun", /^mount \/dev\/console devpts /, "crun 1.8 drops the flags of /dev/pts on /dev/console"],
  [
    "crun",
    /^mount \/dev\/(null|zero|full|tty|u?random) devtmpfs /,
    "crun adds nosuid and noexec to bound devices",
  ],
  ["crun", /^mount \/dev\/shm ext4 /, "crun 1.8 drops the flags of a bind mount in a user namespace"],
];

/** Lines that only one of the two has, but for those that are explained. */
function unexplained(ours: readonly string[], theirs: readonly string[], peer: string): string[] {
  const explained = (line: string) =>
    DIFFERENCES.some(([peers, lines]) => peers.split(" ").includes(peer) && lines.test(line));
  return [
    ...ours.filter((line) => !theirs.includes(line)).map((line) => ["ours", line] as const),
    ...theirs.filter((line) => !ours.includes(line)).map((line) => [peer, line] as const),
  ].filter(([, line]) => !explained(line)).map(([whose, line]) => `${whose}: ${line}`);
}

/** The table is about Debian 12's. */
function unknownVersion(peer: "runc" | "crun"): string | undefined {
  try {
    const { stdout } = new Deno.Command(peer, { args: ["--version"] }).outputSync();
    const [version = ""] = new TextDecoder().decode(stdout).split("\n");
    const known = { runc: "runc version 1.1.", crun: "crun version 1.8." }[peer];
    return version.startsWith(known) ? undefined : `${version} differs in ways that are not explained here`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // Said by `needs`.
    throw error;
  }
}
