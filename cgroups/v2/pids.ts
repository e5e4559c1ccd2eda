/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#pid @module */
import { pidsMax } from "../convert.ts";
import { fileController } from "../controller.ts";
import { nonZero, parseInteger } from "../stats.ts";

/** The files are those of cgroup v1. */
export const pids = fileController({
  name: "pids",
  settings({ pids }) {
    if (pids?.limit === undefined) return [];
    return [{ file: "pids.max", value: pidsMax(pids.limit), member: "/pids/limit" }];
  },
  stats(directory, { pids }) {
    const current = directory.tryRead("pids.current");
    // Without the controller, the processes that are there; in a threaded cgroup, the threads.
    const text = current ??
      `${lines(directory.tryRead("cgroup.procs") ?? directory.tryRead("cgroup.threads") ?? "")}`;
    pids.current = nonZero(parseInteger(text));
    const max = directory.tryRead("pids.max")?.trim() ?? "max";
    if (max !== "max") pids.limit = parseInteger(max);
  },
});

function lines(text: string): number {
  return text.split("\n").length - 1;
}
