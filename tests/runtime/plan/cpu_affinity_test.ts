import { assertEquals } from "@std/assert";
import { execAffinity, resetAffinity } from "../../../runtime/plan/cpu_affinity.ts";
import type { CPUAffinity } from "../../../runtime/spec/scheduling.ts";
import { assertPlan, testProcess } from "./fixture.ts";

const at = (when: "initial" | "final", execCPUAffinity?: CPUAffinity) =>
  execAffinity(testProcess(execCPUAffinity && { execCPUAffinity }), when);

Deno.test("execCPUAffinity sets what it names, each before or behind the cgroup", () => {
  const both = { initial: "0-1,3", final: "64" };
  assertPlan(
    at("initial", both),
    `
    run on CPUs 0-1,3  /process/execCPUAffinity/initial
    1  sched_setaffinity(0, 8, {0-1, 3})
    `,
  );
  assertPlan(
    at("final", both),
    `
    run on CPUs 64  /process/execCPUAffinity/final
    1  sched_setaffinity(0, 16, {64})
    `,
  );
  assertEquals([at("initial", { final: "0" }), at("final", { initial: "0" }), at("final", { final: "" })], [
    [],
    [],
    [],
  ]);
});

Deno.test("without execCPUAffinity the cpuset decides, and not the CPUs of the caller", () => {
  assertEquals(at("initial"), []);
  assertEquals(at("final"), resetAffinity());
  assertPlan(
    resetAffinity(),
    `
    leave the CPUs to the cpuset  runtime
    1  sched_setaffinity(0, 1024, {0-8191})
    `,
  );
});
