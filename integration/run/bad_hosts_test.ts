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

containerCases({
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
