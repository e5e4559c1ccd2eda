/** Attacks by what a process is given, or finds open. @module */
import type { Mount } from "../../runtime/spec/config.ts";
import { run } from "../support/hako.ts";
import { SECRET } from "./canary.ts";
import type { Target } from "./target.ts";

/** What a careless caller, or the runtime itself, has open is tried as the working directory. */
export async function descriptors(target: Target): Promise<string | undefined> {
  const treasure = target.treasure();
  const under = ["sh", "-c", `exec 7<${treasure}; "$@"`, "sh"];
  for (let fd = 3; fd < 12; fd++) {
    const cwd = `/proc/self/fd/${fd}`;
    const script = `cat secret || cat ${"../".repeat(30)}${treasure.slice(1)}/secret`;
    const { path } = target.bundle({ config: { process: { cwd } }, script });
    const { stdout } = await target.run(path, { under });
    if (stdout.includes(SECRET.trim())) return `a file of the host was read from ${cwd}`;
  }
}

export function inheritable(target: Target): Promise<string | undefined> {
  const look = ["grep", "CapInh", "/proc/self/status"];
  const judge = (stdout: string, where: string) =>
    /^CapInh:\t0*[1-9a-f]/m.test(stdout)
      ? `${where} has inheritable capabilities: ${stdout.trim()}`
      : undefined;
  return target.beside({ script: "grep CapInh /proc/self/status; exec sleep 600" }, async () => {
    const first = Deno.readTextFileSync(`${target.box.directory}/output`);
    const { stdout } = await target.command("exec", target.box.id, ...look);
    const { stdout: more } = await target.command("exec", "--cap", "CAP_KILL", target.box.id, ...look);
    return judge(first, "the container") ?? judge(stdout, "exec") ?? judge(more, "exec --cap");
  });
}

/** Each is refused, or the user that a person reads in it. */
const USERS: Readonly<Record<string, string>> = {
  "1": "1:0",
  "1:1": "1:1",
  "1000": "1000:0",
  "01": "1:0",
  "1:": "1:0",
  "0x1": "1:0",
  "+1": "1:0",
  " 1": "1:0",
  "1x": "1:0",
  "4294967296": "refused",
  "18446744073709551616": "refused",
  "nobody": "refused",
  "-1": "refused",
};

export function userOption(target: Target): Promise<string | undefined> {
  return target.beside({ args: ["sleep", "600"] }, async () => {
    for (const [user, expected] of Object.entries(USERS)) {
      const { status, stdout } = await target.command(
        "exec",
        "--user",
        user,
        target.box.id,
        "sh",
        "-c",
        'echo "$(id -u):$(id -g)"',
      );
      if (status === 0 && stdout.trim() !== expected) {
        return `--user ${JSON.stringify(user)} is ${stdout.trim()}`;
      }
    }
  });
}

const HOST_ID = 100000;

/** A bundle of a container in a user namespace that tries to make a cgroup below its own, which is its root's. */
function inOwnCgroup(target: Target): string {
  const options = ["nosuid", "noexec", "nodev", "relatime"];
  const mounts: Mount[] = [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    { destination: "/sys", type: "none", source: "/sys", options: ["rbind", ...options, "ro"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...options, "ro"] },
  ];
  const map = [{ containerID: 0, hostID: HOST_ID, size: 65536 }];
  const types = ["pid", "ipc", "uts", "mount", "user"] as const;
  return target.bundle({
    config: {
      mounts,
      linux: {
        cgroupsPath: `/${target.box.id}`,
        uidMappings: map,
        gidMappings: map,
        namespaces: types.map((type) => ({ type })),
        maskedPaths: [],
        readonlyPaths: [],
      },
    },
    script: `for own in /sys/fs/cgroup /sys/fs/cgroup/pids $(find /sys/fs/cgroup -name ${target.box.id}); do
      mkdir $own/evil && echo changed
    done; :`,
    image: (rootfs) => Deno.chownSync(rootfs, HOST_ID, HOST_ID),
  }).path;
}

const CHANGED = "a cgroup that is mounted read-only was changed";

/** A cgroup that belongs to the container's root, as systemd gives one to each user, by /sys and by a mount of type cgroup. */
export async function rootlessCgroup(target: Target): Promise<string | undefined> {
  const delegated = `/sys/fs/cgroup/pids/${target.box.id}`;
  Deno.mkdirSync(delegated);
  Deno.chownSync(delegated, HOST_ID, HOST_ID);
  try {
    const { stdout } = await target.run(inOwnCgroup(target));
    return stdout.includes("changed") ? CHANGED : undefined;
  } finally {
    await run(["sh", "-c", '[ ! -d "$0" ] || find "$0" -depth -type d -exec rmdir {} +', delegated]);
  }
}

/** The same in a view of this machine that has cgroup v2 alone, and removes what is in it. */
export async function rootlessCgroup2(target: Target): Promise<string | undefined> {
  const view = new URL("../guest/v2.sh", import.meta.url).pathname;
  const delegate = `mkdir /sys/fs/cgroup/${target.box.id}
    chown -R ${HOST_ID}:${HOST_ID} /sys/fs/cgroup/${target.box.id}
    exec "$@"`;
  const { stdout } = await target.run(inOwnCgroup(target), { under: [view, "sh", "-ec", delegate, "sh"] });
  return stdout.includes("changed") ? CHANGED : undefined;
}
