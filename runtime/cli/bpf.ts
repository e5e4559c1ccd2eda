/** `hako bpf`: the seccomp compiler as a tool, and the filters of live processes. @module */

import { UsageError } from "../errors.ts";
import { CPU } from "../linux/libc.ts";
import { readFilter } from "../linux/seccomp.ts";
import { log } from "../log.ts";
import { defineCommand } from "./command.ts";

export const bpf = defineCommand({
  name: "bpf",
  summary: 'compile, explain, compare and dump seccomp filters: "hako bpf help" tells how',
  usage: "COMMAND [ARGUMENT...]",
  positionals: {
    min: 1,
    words: ["compile", "disasm", "explain", "trace", "diff", "lint", "stats", "dump", "help"],
  },
  stopAtPositional: true,
  // 1 is an answer: two programs differ, a policy has faults.
  failureStatus: 2,
  options: {},
  async action({ args, print }) {
    const { runTool } = await import("../../wasm/tool.ts");
    const { code, stdout, stderr = "" } = runTool(args, {
      native: CPU,
      read: (path) => Deno.readFileSync(path === "-" ? "/proc/self/fd/0" : path),
      readFilter,
    });
    if (code === 2) throw new UsageError(stderr.trimEnd());
    for (const line of stderr.split("\n")) if (line !== "") log.warn(line);
    print(stdout);
    return code;
  },
});
