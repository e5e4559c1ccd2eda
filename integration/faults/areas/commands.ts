/** The commands that look at a container, or change what it has. @module */
import { stringify } from "../../../runtime/spec/json.ts";
import { exists } from "../../support/files.ts";
import type { GoldenBundle } from "../golden.ts";
import type { Scenario } from "../scenarios.ts";
import { command } from "./command.ts";

/** Each of them, on a container that runs. Those that change it come twice: there, and back. */
export function commands(bundle: GoldenBundle): Scenario[] {
  const { id, path } = bundle;
  const mounts = `${path}/mounts`;
  const plain = `${path}/plain`;
  Deno.writeTextFileSync(mounts, JSON.stringify([{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }]));
  // What has hooks cannot be compiled.
  const config = { ...bundle.config, root: { path: `${path}/rootfs` }, hooks: undefined };
  Deno.mkdirSync(plain);
  Deno.writeTextFileSync(`${plain}/config.json`, stringify(config));

  const on = (words: readonly string[], ...before: readonly (readonly string[])[]) =>
    command(bundle, words, { running: true, before });
  return [
    on(["state", id]),
    on(["list"]),
    on(["list", "--format", "json"]),
    on(["ps", id]),
    on(["ps", "--format", "json", id]),
    on(["events", "--stats", id]),
    ...hasLimits()
      ? [on(["update", "--pids-limit", "100", "--memory", "1000000000", "--cpu-share", "512", id])]
      : [],
    on(["pause", id]),
    on(["resume", id], ["pause", id]),
    on(["kill", id, "CONT"]),
    on(["kill", "--all", id, "CONT"]),
    on(["mounts", "add", id, mounts]),
    on(["mounts", "remove", id, mounts], ["mounts", "add", id, mounts]),
    // It asks what the kernel has: what fails is not there.
    { ...on(["features"]), output: () => "" },
    on(["explain", "--bundle", path]),
    command(bundle, ["compile", "--bundle", plain, "--output", `${path}/compiled`], { temporary: path }),
  ];
}

/** Not where there is cgroup v2 alone, and cgroup v1 has all controllers. */
function hasLimits(): boolean {
  const file = "/sys/fs/cgroup/cgroup.controllers";
  return !exists(file) || Deno.readTextFileSync(file).includes("pids");
}
