/** @see https://docs.kernel.org/admin-guide/cgroup-v1/cpuacct.html @module */
import { fileController } from "../controller.ts";
import { nonZero, parseInteger, parsePairs, scaled } from "../stats.ts";

/** A clock tick is a hundredth of a second in all that the kernel tells, and 10^7 nanoseconds. */
const TICK = "0000000";

/** It counts and limits nothing. */
export const cpuacct = fileController({
  name: "cpuacct",
  stats(directory, { cpu }) {
    const stat = parsePairs(directory.tryRead("cpuacct.stat") ?? "");
    const all = (directory.tryRead("cpuacct.usage_all") ?? "").trim().split("\n").slice(1)
      .map((line) => line.split(" "));
    const percpu = (directory.tryRead("cpuacct.usage_percpu") ?? "").split(" ").filter((text) =>
      text.trim() !== ""
    );
    cpu.usage = {
      total: nonZero(parseInteger(directory.tryRead("cpuacct.usage"))),
      percpu: percpu.map(parseInteger),
      percpu_kernel: all.map(([, , system]) => parseInteger(system)),
      percpu_user: all.map(([, user]) => parseInteger(user)),
      kernel: scaled(stat.system, TICK),
      user: scaled(stat.user, TICK),
    };
  },
});
