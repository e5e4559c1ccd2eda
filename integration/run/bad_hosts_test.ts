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
      stderr: /^hako: [^\n]*(no space left on device|No space left on device|Read-only file system)[^\n]*\n$/,
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

containerCases({
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
