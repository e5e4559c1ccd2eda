/** Podman on files of its own, which takes the runtime under test for its default. @module */
import { BOX, type Command, command, ID, imageArchive, RUNTIME, RUNTIME_PATH } from "../engines/machine.ts";
import { expect } from "../engines/suite.ts";

/** Podman knows what a runtime can do by the name of its program: docs/podman.md. */
const CONTAINERS = `[engine]
runtime = "${RUNTIME}"
runtime_supports_json = ["crun", "runc", "hako"]
runtime_supports_nocgroup = ["crun", "hako"]
cgroup_manager = "cgroupfs"
events_logger = "file"

[engine.runtimes]
${RUNTIME} = ["${RUNTIME_PATH}"]

[containers]
# Its own are higher than what this machine may give.
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
`;

function storage(images: string, run: string): string {
  return `[storage]\ndriver = "overlay"\ngraphroot = "${images}"\nrunroot = "${run}"\n`;
}

export const IMAGE = "localhost/busybox";

/** As root. */
export const podman: Command = command("podman");

const USER = "hako-test";
const HOME = `${BOX}/home`;
/** XDG_RUNTIME_DIR. */
const RUN = "/run/hako-test";

/** Runs a command as an ordinary user with subordinate ids 300000 to 365535. */
export const asUser: Command = command(
  ...["setpriv", "--reuid", "2000", "--regid", "2000", "--clear-groups", "--reset-env"],
  ...["env", "--chdir=/", `HOME=${HOME}`, `XDG_RUNTIME_DIR=${RUN}`],
);

/** Writes the files that Podman reads, and imports the image. */
export async function preparePodman(): Promise<void> {
  Deno.writeTextFileSync("/etc/containers/containers.conf", CONTAINERS);
  Deno.writeTextFileSync("/etc/containers/storage.conf", storage(`${BOX}/podman`, "/run/containers/storage"));
  const append = (file: string, text: string) => Deno.writeTextFileSync(file, text, { append: true });
  // The user `containers` is for --userns=auto, where newer libraries want it to exist.
  append("/etc/passwd", `${USER}:x:2000:2000::${HOME}:/bin/sh\ncontainers:x:2001:2001::/:/bin/false\n`);
  append("/etc/group", `${USER}:x:2000:\ncontainers:x:2001:\n`);
  for (const file of ["/etc/subuid", "/etc/subgid"]) {
    append(file, `containers:500000:65536\n${USER}:300000:65536\n`);
  }
  const settings = `${HOME}/.config`;
  for (const directory of [HOME, RUN, settings, `${settings}/containers`]) {
    Deno.mkdirSync(directory, { mode: 0o700 });
    Deno.chownSync(directory, 2000, 2000);
  }
  // Podman 5 takes root's places for an ordinary user too, unless there are others.
  Deno.writeTextFileSync(
    `${settings}/containers/storage.conf`,
    storage(`${HOME}/images`, `${RUN}/containers`),
  );
  expect(await podman("import", await imageArchive(), IMAGE));
  Deno.chmodSync(await imageArchive(), 0o644);
  expect(await asUser("podman", "import", await imageArchive(), IMAGE));
}

let count = 0;

export function newName(): string {
  return `c${count++}`;
}

/** The options of every container: cgroups that `start` finds again. */
export const CGROUP: readonly string[] = ["--cgroup-parent", `/${ID}`];

/** Starts a container that goes on, does something with it, and removes it. */
export async function withContainer(
  options: readonly string[],
  use: (name: string) => Promise<void>,
  script = "exec sleep 1000",
): Promise<void> {
  const name = newName();
  try {
    expect(await podman("run", "-d", "--name", name, ...CGROUP, ...options, IMAGE, "sh", "-c", script));
    await use(name);
  } finally {
    expect(await podman("rm", "--force", "--time", "0", "--volumes", name));
  }
}
