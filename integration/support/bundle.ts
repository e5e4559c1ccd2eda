/**
 * Bundles for tests: a busybox root filesystem and a config.json.
 *
 * @module
 */
import type { Capabilities, Config, Mount } from "../../runtime/spec/config.ts";
import { defaultConfig } from "../../runtime/spec/default.ts";
import { stringify } from "../../runtime/spec/json.ts";

/** What differs from a config: objects are merged, anything else takes the place of what was there, null removes it. */
export type Changes<T> = T extends readonly unknown[] ? T
  : T extends object ? { readonly [K in keyof T]?: Changes<T[K]> | null }
  : T;

export interface BundleOptions {
  /** Begin with tests/golden/NAME/config.json; otherwise with what `hako spec` writes, writable and without a terminal. */
  readonly golden?: string;
  readonly config?: Changes<Config>;
  /** Behind those that are there. */
  readonly mounts?: readonly Mount[];
  /** The program: a script for busybox, or words. */
  readonly script?: string;
  readonly args?: readonly string[];
  /** Changes the image. Relative paths begin at its root. */
  readonly image?: (rootfs: string) => void;
}

/** The config of {@linkcode makeBundle}, with the directory `bundle` for what it needs of the host. */
export function makeConfig(bundle: string, options: BundleOptions = {}): Config {
  const { golden, config = {}, mounts = [], script, args = script && ["/bin/sh", "-c", script] } = options;
  const base = golden === undefined ? plainConfig() : goldenConfig(golden, bundle);
  const merged = merge(base, config) as Config;
  return {
    ...merged,
    mounts: [...merged.mounts ?? [], ...mounts],
    ...merged.process && { process: { ...merged.process, args: args || merged.process.args } },
  };
}

/** Writes a config.json and a root filesystem to the directory `bundle`. */
export function makeBundle(bundle: string, options: BundleOptions = {}): Config {
  makeRootfs(`${bundle}/rootfs`);
  const config = makeConfig(bundle, options);
  options.image?.(`${bundle}/rootfs`);
  Deno.writeTextFileSync(`${bundle}/config.json`, stringify(config, "  "));
  return config;
}

function plainConfig(): Config {
  const { process, root, linux, ...rest } = defaultConfig();
  // What Hako has no say in yet would be a warning.
  return {
    ...rest,
    process: { ...process!, terminal: false },
    root: { ...root, readonly: false },
    linux: { ...linux, resources: undefined },
  };
}

const GOLDEN = new URL("../../tests/golden/", import.meta.url);

/** The names of the configs that engines have sent. */
export function engineConfigs(): string[] {
  return [...Deno.readDirSync(GOLDEN)].map(({ name }) => name).filter((name) =>
    /^(docker|podman)-/.test(name)
  )
    .sort();
}

/** A config as an engine has sent it. */
export function engineConfig(name: string): Config {
  return JSON.parse(Deno.readTextFileSync(new URL(`${name}/config.json`, GOLDEN)));
}

/** The same with files of ours for those of the engine that it names. */
function goldenConfig(name: string, bundle: string): Config {
  const config = engineConfig(name);
  const mounts = config.mounts?.map((mount, index) => {
    if (!mount.source?.startsWith("/") || mount.source === "/sys") return mount;
    const source = `${bundle}/source${index}`;
    // As it is at the engine: /data and /dev/shm are directories, the rest are files.
    if (/^\/(data|dev\/shm)$/.test(mount.destination)) Deno.mkdirSync(source, { mode: 0o755 });
    else Deno.writeTextFileSync(source, `${mount.destination} of the engine\n`, { mode: 0o755 });
    return { ...mount, source };
  });
  return { ...config, mounts, root: { ...config.root, path: "rootfs" } };
}

function merge(base: unknown, changes: unknown): unknown {
  if (!isObject(base) || !isObject(changes)) return changes;
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete merged[name];
    else merged[name] = merge(merged[name], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets of capabilities that a program keeps over execve(2) as root. */
export function capabilities(...names: readonly string[]): Capabilities {
  return { bounding: names, permitted: names, effective: names };
}

/** Of Debian's package busybox-static. */
const BUSYBOX = "/bin/busybox";
let applets: readonly string[] | undefined;

/** A root filesystem with busybox and two users, owned by root. */
export function makeRootfs(rootfs: string): void {
  for (const name of ["bin", "dev", "etc", "proc", "root", "sys", "tmp"]) {
    Deno.mkdirSync(`${rootfs}/${name}`, { recursive: true, mode: 0o755 });
  }
  Deno.chmodSync(rootfs, 0o755);
  Deno.chmodSync(`${rootfs}/tmp`, 0o1777);
  Deno.copyFileSync(BUSYBOX, `${rootfs}/bin/busybox`);
  applets ??= new TextDecoder().decode(new Deno.Command(BUSYBOX, { args: ["--list"] }).outputSync().stdout)
    .trim().split("\n").filter((name) => name !== "busybox");
  for (const name of applets) Deno.symlinkSync("busybox", `${rootfs}/bin/${name}`);
  Deno.writeTextFileSync(
    `${rootfs}/etc/passwd`,
    "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n",
  );
  Deno.writeTextFileSync(`${rootfs}/etc/group`, "root:x:0:\nuser:x:1000:\n");
}
