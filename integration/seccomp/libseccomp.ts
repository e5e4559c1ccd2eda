/** What libseccomp.c reads. @module */
import type { Policy } from "../../bpf-compiler/mod.ts";
import { OPERATORS } from "../../bpf-compiler/validate.ts";
import { verdictOf } from "../../bpf-compiler/verdict.ts";

/** What runc passes to libseccomp: its rules for entries are applied here, libseccomp's own are not. */
export function asText(
  { defaultAction, defaultErrnoRet, architectures = [], syscalls = [] }: Policy,
): string {
  const fallback = verdictOf(defaultAction, defaultErrnoRet);
  const lines = [`default ${fallback}`];
  for (const name of architectures) lines.push(`arch ${name.replace("SCMP_ARCH_", "").toLowerCase()}`);
  for (const { names, action, errnoRet, args = [] } of syscalls) {
    const verdict = verdictOf(action, errnoRet);
    if (verdict === fallback) continue;
    const repeated = new Set(args.map(({ index }) => index)).size < args.length;
    for (const name of names) {
      for (const alternative of repeated ? args.map((arg) => [arg]) : [args]) {
        const conditions = alternative.map(({ index, op, value, valueTwo = 0 }) =>
          // enum scmp_compare begins with 1.
          `${index} ${OPERATORS.indexOf(op) + 1} ${value} ${valueTwo}`
        );
        lines.push(["rule", verdict, name, alternative.length, ...conditions].join(" "));
      }
    }
  }
  return lines.join("\n");
}
