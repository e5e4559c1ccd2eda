/** What goes wrong: exit codes, and the runtime's words in containerd's message. @module */
import { BOX } from "../engines/machine.ts";
import { type Cases, expect } from "../engines/suite.ts";
import { IMAGE } from "./image.ts";
import { ctr, eachRun, execIn, newName, withContainer } from "./containerd.ts";

export const errorCases: Cases = {
  ...eachRun({
    "the exit code of the program": { script: "exit 42", status: 42 },
    "no such program in PATH": {
      words: ["absent"],
      status: 1,
      stderr: /executable file .*not found in \$PATH/,
    },
    "no such program by path": { words: ["/absent"], status: 1, stderr: /no such file or directory/i },
    "a file that is no program": { words: ["/etc/notes"], status: 1, stderr: /permission denied/i },
    "no such source of a mount": {
      options: ["--mount", `type=bind,src=${BOX}/absent,dst=/x,options=rbind`],
      words: ["true"],
      status: 1,
      stderr: /no such file or directory/i,
    },
    "no such namespace": {
      options: ["--with-ns", `network:${BOX}/absent`],
      words: ["true"],
      status: 1,
      stderr: /no such file or directory/i,
    },
  }),
  "no such runtime": async () => {
    const name = newName();
    const words = ["run", "--rm", "--runc-binary", `${BOX}/absent`, IMAGE, name, "true"];
    expect(await ctr(...words), { status: 1, stderr: /no such file or directory/i });
  },
  "exec: its exit codes, and what is no program": async () => {
    await withContainer({}, async (name) => {
      expect(await execIn(name, [], "sh", "-c", "exit 8"), { status: 8 });
      expect(await execIn(name, [], "absent"), {
        status: 1,
        stderr: /executable file .*not found in \$PATH/,
      });
      expect(await execIn(name, [], "/etc/notes"), { status: 1, stderr: /permission denied/i });
      expect(await execIn(name, ["--cwd", "/absent"], "true"), {
        status: 1,
        stderr: /no such file or directory/i,
      });
    });
  },
};
