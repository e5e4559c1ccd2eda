/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu @module */
import { fileController, type Setting } from "../controller.ts";
import { cpuWeight, given } from "../convert.ts";
import { pointerTo } from "../directory.ts";
import { nonZero, parsePairs, scaled } from "../stats.ts";

/** The kernel's own. */
const DEFAULT_PERIOD = 100_000;

export const cpu = fileController({
  name: "cpu",
  settings({ cpu = {} }) {
    const { shares, quota, period, burst, idle } = cpu;
    const settings: Setting[] = [];
    if (idle !== undefined) settings.push({ file: "cpu.idle", value: `${idle}`, member: "/cpu/idle" });
    // The kernel refuses to weigh what is idle.
    if (given(shares) && idle != 1) {
      settings.push({ file: "cpu.weight", value: `${cpuWeight(shares)}`, member: "/cpu/shares" });
    }
    if (given(quota) || given(period)) {
      const max = given(quota) && quota > 0 ? quota : "max";
      const value = `${max} ${given(period) ? period : DEFAULT_PERIOD}`;
      settings.push({ file: "cpu.max", value, member: given(quota) ? "/cpu/quota" : "/cpu/period" });
    }
    if (burst !== undefined) {
      settings.push({ file: "cpu.max.burst", value: `${burst}`, member: "/cpu/burst" });
    }
    return settings;
  },
  warnings({ cpu = {} }) {
    return (["realtimeRuntime", "realtimePeriod"] as const).filter((name) => given(cpu[name]))
      .map((name) => `${pointerTo(`/cpu/${name}`)} has no effect with cgroup v2`);
  },
  stats(directory, { cpu }) {
    const stat = parsePairs(directory.tryRead("cpu.stat") ?? "");
    const nanoseconds = (key: string) => scaled(stat[key], "000");
    cpu.usage = {
      total: nonZero(nanoseconds("usage_usec")),
      kernel: nanoseconds("system_usec"),
      user: nanoseconds("user_usec"),
    };
    cpu.throttling = {
      periods: nonZero(scaled(stat.nr_periods, "")),
      throttledPeriods: nonZero(scaled(stat.nr_throttled, "")),
      throttledTime: nonZero(nanoseconds("throttled_usec")),
    };
  },
});
