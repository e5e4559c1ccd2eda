/**
 * What goes wrong: exit codes and the kind of message are what Docker makes of the runtime's words.
 *
 * @see docker-run(1), Exit Status; moby daemon/errors.go
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { BOX, RUNTIME } from "../engines/machine.ts";
import { type Cases, expect } from "../engines/suite.ts";
import { docker, IMAGE, newName, runCases, VERSION, withContainer } from "./docker.ts";

Deno.mkdirSync(`${BOX}/closed`, { mode: 0o700 });
Deno.copyFileSync("/bin/busybox", `${BOX}/closed/true`);

/** Hako's `start` waits for execve(2), so that its failure is the daemon's. Else it is the container that prints it. */
const WAITS = RUNTIME === "hako";
/** Of a container whose program the kernel has refused: runc's since 1.2 is the latter. */
const REFUSED = [1, 255];

/** Docker 20.10 has one code for all that `exec` cannot run. */
const ABSENT = VERSION < 28 ? 126 : 127;

export const errorCases: Cases = {
  ...runCases({
    "the exit code of the program": { script: "exit 42", status: 42 },
    "no such program in PATH: 127": {
      words: ["absent"],
      status: 127,
      stderr: /"?absent"?: executable file not found in \$PATH/,
    },
    "no such program by path: 127": { words: ["/absent"], status: 127, stderr: /no such file or directory/ },
    "a script without its interpreter": {
      words: ["/bin/nointerpreter"],
      status: WAITS ? 127 : REFUSED,
      stderr: /no such file or directory/,
    },
    "a file that is no program: 126": { words: ["/etc/notes"], status: 126, stderr: /permission denied/ },
    "a directory: 126": { words: ["/etc"], status: 126, stderr: /(permission denied|is a directory)/ },
    "a path through a file: 125": { words: ["/etc/passwd/x"], status: 125, stderr: /not a directory/ },
    "a program that its user cannot reach: 126": {
      // Since 23 Docker leaves an ordinary user the capabilities until execve(2), and with them it may.
      options: ["--user", "user", "--cap-drop", "ALL", "-v", `${BOX}/closed:/closed`],
      words: ["/closed/true"],
      status: 126,
      stderr: /permission denied/,
    },
    "a format that is none": {
      words: ["/bin/badformat"],
      status: WAITS ? 125 : REFUSED,
      stderr: /exec format error/,
    },
    "no such user: 125": {
      options: ["--user", "nobody-here"],
      words: ["true"],
      status: 125,
      stderr: /unable to find user nobody-here/,
    },
    "a working directory that is a file: 125": {
      options: ["-w", "/etc/passwd"],
      words: ["true"],
      status: 125,
      stderr: /not a directory/,
    },
    "a working directory that is missing is made": {
      options: ["-w", "/a/b"],
      words: ["pwd"],
      stdout: "/a/b",
    },
    "no such source of a mount: 125": {
      options: ["--mount", `type=bind,src=${BOX}/absent,dst=/x`],
      words: ["true"],
      status: 125,
      stderr: /bind source path does not exist/,
    },
    "a file mounted on a directory: 125": {
      options: ["-v", "/etc/passwd:/etc"],
      words: ["true"],
      status: 125,
      stderr: /not a directory/,
    },
    "no such device: 127": {
      options: ["--device", "/dev/absent"],
      words: ["true"],
      status: 127,
      stderr: /no such file or directory/,
    },
    "no such sysctl": {
      options: ["--sysctl", "net.absent=1"],
      words: ["true"],
      status: 127,
      stderr: /no such file or directory/,
    },
    "a sysctl that is the host's: 125": {
      options: ["--sysctl", "vm.swappiness=1"],
      words: ["true"],
      status: 125,
      stderr: /vm\.swappiness/,
    },
    "too little memory: 125": {
      options: ["--memory", "1k"],
      words: ["true"],
      status: 125,
      stderr: /[Mm]inimum memory limit/,
    },
    "processors that are not there: 125": {
      options: ["--cpuset-cpus", "900"],
      words: ["true"],
      status: 125,
      stderr: /Requested CPUs are not available/,
    },
    "no such runtime: 125": {
      options: ["--runtime", "absent"],
      words: ["true"],
      status: 125,
      stderr: /[Uu]nknown (runtime|or invalid runtime name)/,
    },
  }),
  "a name in use: 125": async () => {
    await withContainer({}, async (name) => {
      expect(await docker("run", "--rm", "--name", name, IMAGE, "true"), {
        status: 125,
        stderr: /is already in use/,
      });
    });
  },
  "exec: 126 or 127, and of what does not run": async () => {
    await withContainer({}, async (name) => {
      expect(await docker("exec", name, "absent"), {
        status: ABSENT,
        stdout: /executable file not found in \$PATH/,
      });
      expect(await docker("exec", name, "/absent"), { status: ABSENT, stdout: /no such file or directory/ });
      expect(await docker("exec", name, "/etc/notes"), { status: 126, stdout: /permission denied/ });
      const user = await docker("exec", "-u", "absent", name, "true");
      assertMatch(user.stdout + user.stderr, /unable to find user absent/);
      assertEquals(user.status, VERSION < 28 ? 126 : 1);
      expect(await docker("exec", "-w", "/absent", name, "true"), {
        status: ABSENT,
        stdout: /no such file or directory/,
      });
      expect(await docker("stop", "--time", "0", name));
      expect(await docker("exec", name, "true"), { status: 1, stderr: /is not running/ });
    });
  },
  "after a start that fails the container can be started again": async () => {
    const name = newName();
    expect(await docker("create", "--name", name, IMAGE, "/root/program"));
    try {
      expect(await docker("start", name), { status: 1, stderr: /no such file or directory/ });
      expect(await docker("cp", "/bin/busybox", `${name}:/bin/true2`));
      expect(await docker("start", name), { status: 1, stderr: /no such file or directory/ });
    } finally {
      expect(await docker("rm", name));
    }
  },
};
