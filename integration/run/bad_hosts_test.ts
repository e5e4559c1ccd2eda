/**
 * Machines that lack something: Hako works there, or says in one line what is missing, and leaves nothing.
 *
 * @module
 */
import { afterMounting, type Box, type Case, containerCases } from "../support/fixture.ts";

/** With the state directory on a file system of its own. */
function stateOn(options: string, then = ""): (box: Box) => Case {
  return (box) => {
    Deno.mkdirSync(box.state);
    return {
      under: afterMounting(
        `mount -t tmpfs -o ${options} tmpfs ${box.state}; ${then.replaceAll("STATE", box.state)}`,
      ),
      args: ["/bin/true"],
      stderr: /^hako: [^\n]*(no space left on device \(ENOSPC\)|read-only file system \(EROFS\))[^\n]*\n$/,
      status: 1,
    };
  };
}

const HELLO = { script: "echo hello", stdout: "hello" } as const;

/** The rules for devices are a promise that cannot be kept there. */
const NO_CGROUP = {
  args: ["/bin/true"],
  stderr:
    "hako: config.json /linux/resources/devices: cannot be set: there is no cgroup that we may write to",
  status: 1,
};

/** In the environment of a service manager, of which even PATH may be absent; without a terminal. */
function bare(prepare: string, ...variables: readonly string[]): (box: Box) => Case {
  return (box) => {
    Deno.mkdirSync(box.state);
    return {
      ...HELLO,
      under: [
        ...afterMounting(prepare.replaceAll("STATE", box.state)),
        ...["setsid", "--wait", "env", "-i", ...variables],
      ],
    };
  };
}

/** Behind a seccomp filter that answers `names` with an errno. */
function filtered(errnoRet: number, ...names: readonly string[]): string[] {
  const policy = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names, action: "SCMP_ACT_ERRNO", errnoRet }],
  };
  const script = new URL("../support/filtered.ts", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-A", "--quiet", "--no-config", script, JSON.stringify(policy)];
}

const [EPERM, ENOSYS] = [1, 38];

/** What Hako cannot do without: one line, which names the call. */
function needs(call: string): Record<string, Case> {
  const words = "a seccomp filter that Hako itself runs behind may deny it";
  const fails = (errno: string) =>
    new RegExp(`^hako: [^\\n]*${call}[^\\n]*\\(${errno}\\)[^\\n]*: ${words}\\n$`);
  return {
    [`a filter forbids ${call}`]: { under: filtered(EPERM, call), stderr: fails("EPERM"), status: 1 },
    [`there is no ${call}`]: { under: filtered(ENOSYS, call), stderr: fails("ENOSYS"), status: 1 },
  };
}

/** In a user namespace that may have `count` namespaces of a kind. */
function namespaces(kind: string, count: number): string[] {
  return [
    ...["unshare", "--user", "--map-root-user", "sh", "-ec"],
    ...[`echo ${count} > /proc/sys/user/max_${kind}_namespaces; exec "$@"`, "sh"],
  ];
}

const NO_NAMESPACE =
  /^(hako: warning: [^\n]*\n)?hako: create namespaces: [^\n]*\(ENOSPC\)[^\n]*: a limit of namespaces in \/proc\/sys\/user is reached\n$/;

containerCases({
  ...Object.assign({}, ...["mount", "unshare", "memfd_create", "openat2", "fsopen", "move_mount"].map(needs)),
  ...Object.assign({}, ...["open_tree", "mount_setattr", "close_range", "pivot_root"].map(needs)),
  "there is no clone3, which a filter of Docker's answers so": {
    under: filtered(ENOSYS, "clone3"),
    stderr: /^hako: fork the first process[^\n]*clone3\(\)[^\n]*\(ENOSYS\)[^\n]*may deny it\n$/,
    status: 1,
  },
  "a filter forbids what Hako can do without": {
    ...HELLO,
    under: filtered(
      EPERM,
      "clone",
      "pidfd_open",
      "pidfd_send_signal",
      "pidfd_getfd",
      "setns",
      "seccomp",
      "bpf",
    ),
  },
  "none of that is there": {
    ...HELLO,
    under: filtered(
      ENOSYS,
      "clone",
      "pidfd_open",
      "pidfd_send_signal",
      "pidfd_getfd",
      "setns",
      "seccomp",
      "bpf",
    ),
  },
  "the kernel is older than 5.14": {
    under: [
      ...afterMounting(
        "mount -t tmpfs t /mnt; echo 5.10.0-9 > /mnt/release; mount --bind /mnt/release /proc/sys/kernel/osrelease",
      ),
      ...filtered(ENOSYS, "openat2"),
    ],
    stderr: /^hako: openat2 [^\n]*\(ENOSYS\): this is Linux 5\.10\.0-9, and Hako needs 5\.14 or later\n$/,
    status: 1,
  },
  "no user namespace may be made (user.max_user_namespaces=0)": {
    config: {
      linux: {
        namespaces: [{ type: "user" }, { type: "mount" }, { type: "pid" }, { type: "uts" }],
        uidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
      },
    },
    under: namespaces("user", 0),
    stderr: NO_NAMESPACE,
    status: 1,
  },
  "no mount namespace may be made (user.max_mnt_namespaces=0)": {
    under: namespaces("mnt", 0),
    stderr: NO_NAMESPACE,
    status: 1,
  },
  "there is no /proc": {
    under: afterMounting("umount -R -l /proc"),
    stderr: /^hako: [a-z]+ \/proc\/[^\n]*: no such file or directory \(ENOENT\): \/proc has to be mounted\n$/,
    status: 1,
  },
  "/proc shows nobody but ourselves (hidepid=2)": {
    ...HELLO,
    under: [
      ...["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-ec"],
      ...['mount -o remount,hidepid=2 /proc; exec "$@"', "sh"],
    ],
  },
  "the hierarchy of a controller that limits devices is not mounted, with or without cgroup v2": () => ({
    args: ["/bin/true"],
    under: afterMounting("umount -l /sys/fs/cgroup/devices; umount -l /sys/fs/cgroup/unified"),
    ...Deno.readTextFileSync("/proc/self/mountinfo").includes(" /sys/fs/cgroup/devices ")
      ? {
        stderr:
          'hako: config.json /linux/resources/devices: cannot be set: no cgroup hierarchy with "devices" is mounted',
        status: 1,
      }
      : {},
  }),
  "no variable is set, not even HOME, DENO_DIR or TMPDIR": bare(":"),
  "HOME, DENO_DIR and TMPDIR are not there": bare(
    ":",
    ...["HOME=/absent", "DENO_DIR=/absent", "TMPDIR=/absent", "PATH=/absent"],
  ),
  "HOME is read-only": bare("mount -t tmpfs -o ro tmpfs /mnt", "HOME=/mnt", "TMPDIR=/mnt", "DENO_DIR=/mnt"),
  "all but the state directory is read-only": bare(
    "mount --bind STATE STATE; mount -o remount,bind,ro /; ! touch /hako-writes 2>/dev/null",
    "HOME=/root",
  ),
  "the disk of the state directory is full": stateOn(
    "size=64k",
    "cat /dev/zero > STATE/full 2>/dev/null || true",
  ),
  "the disk of the state directory has no inodes left": stateOn("nr_inodes=4"),
  "the state directory is read-only": stateOn("ro"),
  "no cgroup hierarchy is mounted": {
    ...NO_CGROUP,
    under: afterMounting("umount -R -l /sys/fs/cgroup"),
  },
  "there is no /sys": { ...NO_CGROUP, under: afterMounting("umount -R -l /sys") },
  "few descriptors are allowed": {
    args: ["/bin/true"],
    stderr: /^hako: [^\n]*too many open files \(EMFILE\)[^\n]*\n$/,
    status: 1,
    under: ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"],
  },
  "a memfd cannot be executed (vm.memfd_noexec=2)": {
    ...HELLO,
    // It is the pid namespace's own.
    under: [
      "unshare",
      "--pid",
      "--fork",
      "--mount-proc",
      "sh",
      "-ec",
      'echo 2 > /proc/sys/vm/memfd_noexec; "$@"',
      "sh",
    ],
  },
});
