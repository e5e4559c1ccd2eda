/** @see https://docs.kernel.org/scheduler/sched-bwc.html @module */
import { ConfigError } from "../../runtime/errors.ts";
import type { CPUResources } from "../../runtime/spec/resources.ts";
import { fileController, type Setting } from "../controller.ts";
import { given } from "../convert.ts";
import { pointerTo } from "../directory.ts";
import { nonZero, parsePairs, scaled } from "../stats.ts";

/** What the kernel would silently make of others. */
const [MIN_SHARES, MAX_SHARES] = [2, 262144];

export const cpu = fileController({
  name: "cpu",
  settings({ cpu = {} }) {
    const { shares, idle, burst } = cpu;
    const settings: Setting[] = [];
    const add = (name: keyof CPUResources, file: string, absent?: "ignore") =>
      settings.push({ file, value: `${cpu[name]}`, member: `/cpu/${name}`, ...absent && { absent } });
    if (idle !== undefined) add("idle", "cpu.idle");
    // The kernel refuses to weigh what is idle.
    if (given(shares) && idle != 1) add("shares", "cpu.shares");
    if (given(cpu.period)) add("period", "cpu.cfs_period_us");
    if (given(cpu.quota)) add("quota", "cpu.cfs_quota_us");
    // Of Linux 5.14.
    if (burst !== undefined) add("burst", "cpu.cfs_burst_us", "ignore");
    if (given(cpu.realtimePeriod)) add("realtimePeriod", "cpu.rt_period_us");
    if (given(cpu.realtimeRuntime)) add("realtimeRuntime", "cpu.rt_runtime_us");
    return settings;
  },
  check(_directory, { cpu = {} }) {
    const { shares } = cpu;
    if (!given(shares) || (shares >= MIN_SHARES && shares <= MAX_SHARES)) return;
    const problem = shares < MIN_SHARES
      ? `the minimum allowed cpu-shares is ${MIN_SHARES}`
      : `the maximum allowed cpu-shares is ${MAX_SHARES}`;
    throw new ConfigError(pointerTo("/cpu/shares"), problem);
  },
  stats(directory, { cpu }) {
    const stat = parsePairs(directory.tryRead("cpu.stat") ?? "");
    cpu.throttling = {
      periods: nonZero(scaled(stat.nr_periods, "")),
      throttledPeriods: nonZero(scaled(stat.nr_throttled, "")),
      throttledTime: nonZero(scaled(stat.throttled_time, "")),
    };
  },
});
