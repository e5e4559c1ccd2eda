/** Attacks by what an image or a volume holds. @module */
import { AT_FDCWD, S_IFCHR } from "../../runtime/linux/generated/constants.ts";
import { cString, syscall } from "../../runtime/linux/libc.ts";
import type { Mount } from "../../runtime/spec/config.ts";
import { afterMounting } from "../support/fixture.ts";
import type { Target } from "./target.ts";

const PROC: Mount = { destination: "/proc", type: "proc", source: "proc" };

function bind(source: string, destination: string): Mount {
  return { destination, type: "bind", source, options: ["bind"] };
}

/** To a runtime a host with AppArmor, though its kernel has none: so a label that is really written is an error. */
const UNDER_APPARMOR = afterMounting(`
  mount -t tmpfs module /sys/module
  mkdir -p /sys/module/apparmor/parameters
  echo Y >/sys/module/apparmor/parameters/enabled
  mount -t tmpfs security /sys/kernel/security
  mkdir /sys/kernel/security/apparmor`);

/** What looks like /proc to who writes a label. */
function makeFakeProc(target: Target): string {
  const path = `${target.box.directory}/fake-proc`;
  for (const process of ["self", "thread-self"]) {
    Deno.mkdirSync(`${path}/${process}/attr/apparmor`, { recursive: true });
    for (const file of ["exec", "apparmor/exec"]) {
      Deno.writeTextFileSync(`${path}/${process}/attr/${file}`, "");
    }
  }
  return path;
}

async function runsWithoutLabel(target: Target, mounts: readonly Mount[], image = (_: string) => {}) {
  const { path } = target.bundle({
    config: { process: { apparmorProfile: "strict" }, mounts, linux: { maskedPaths: [], readonlyPaths: [] } },
    script: "echo ran",
    image,
  });
  const { stdout } = await target.run(path, { under: UNDER_APPARMOR });
  return stdout.includes("ran") ? "it runs without its AppArmor profile" : undefined;
}

export function fakeProc(target: Target): Promise<string | undefined> {
  return runsWithoutLabel(target, [PROC, bind(makeFakeProc(target), "/proc")]);
}

export function linkedProc(target: Target): Promise<string | undefined> {
  return runsWithoutLabel(target, [PROC, bind(makeFakeProc(target), "/volume")], (rootfs) => {
    Deno.mkdirSync(`${rootfs}/volume`);
    Deno.removeSync(`${rootfs}/proc`);
    Deno.symlinkSync("/volume", `${rootfs}/proc`);
  });
}

/** /proc/sys by a link, so that no name says where the volume goes; its file is a link to what the runtime then writes. */
export async function redirectedWrites(target: Target): Promise<string | undefined> {
  const volume = `${target.box.directory}/fake-sys`;
  Deno.mkdirSync(`${volume}/kernel`, { recursive: true });
  Deno.symlinkSync("/victim", `${volume}/kernel/domainname`);
  const { path, rootfs } = target.bundle({
    config: {
      mounts: [PROC, bind(volume, "/volume")],
      linux: { sysctl: { "kernel.domainname": "evil" }, maskedPaths: [], readonlyPaths: [] },
    },
    args: ["true"],
    image(rootfs) {
      Deno.symlinkSync("/proc/sys", `${rootfs}/volume`);
      Deno.writeTextFileSync(`${rootfs}/victim`, "");
    },
  });
  await target.run(path);
  const written = Deno.readTextFileSync(`${rootfs}/victim`);
  return written === "" ? undefined : `${JSON.stringify(written)} was written elsewhere`;
}

/** A /dev of a volume is taken as it is: nobody makes a /dev/null in it. */
export async function maskedPath(target: Target): Promise<string | undefined> {
  const dev = `${target.box.directory}/dev`;
  Deno.mkdirSync(dev);
  Deno.symlinkSync("/other", `${dev}/null`);
  const { path } = target.bundle({
    config: { mounts: [PROC, bind(dev, "/dev")], linux: { maskedPaths: ["/masked"], readonlyPaths: [] } },
    script: "cat /masked",
    image(rootfs) {
      Deno.writeTextFileSync(`${rootfs}/masked`, "masked\n");
      Deno.writeTextFileSync(`${rootfs}/other`, "other\n");
    },
  });
  const { stdout } = await target.run(path);
  return stdout === "" ? undefined : `the masked file is ${JSON.stringify(stdout)}`;
}

export async function console(target: Target): Promise<string | undefined> {
  const dev = `${target.box.directory}/dev`;
  Deno.mkdirSync(`${dev}/pts`, { recursive: true });
  Deno.symlinkSync("/victim", `${dev}/console`);
  // Some runtimes look for it. makedev(1, 3)
  syscall("mknodat", [AT_FDCWD, cString(`${dev}/null`), S_IFCHR | 0o666, 0x103]);
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
      mounts: [PROC, bind(dev, "/dev"), devpts],
      linux: { maskedPaths: [], readonlyPaths: [] },
    },
    script: "test -c /victim && echo mounted-on-victim",
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/victim`, ""),
  });
  // script(1) gives it a terminal, and takes a command as one word.
  const under = ["sh", "-c", 'exec script -qec "$*" /dev/null', "sh"];
  const { stdout } = await target.run(path, { under });
  target.said = stdout.trim() || target.said;
  return stdout.includes("mounted-on-victim") ? "the terminal is mounted where the link leads" : undefined;
}

export async function devLink(target: Target): Promise<string | undefined> {
  const treasure = target.treasure();
  const { path } = target.bundle({
    config: { mounts: [PROC], linux: { maskedPaths: [], readonlyPaths: [] } },
    args: ["true"],
    image(rootfs) {
      Deno.removeSync(`${rootfs}/dev`);
      Deno.symlinkSync("../".repeat(30) + treasure.slice(1), `${rootfs}/dev`);
    },
  });
  await target.run(path);
  const found = [...Deno.readDirSync(treasure)].map(({ name }) => name).filter((name) => name !== "secret");
  return found.length === 0 ? undefined : `made on the host: ${found.sort().join(", ")}`;
}
