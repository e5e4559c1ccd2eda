/** Attacks by a process that waits in the container for another one to join it. @module */
import type { Config } from "../../runtime/spec/config.ts";
import type { Changes } from "../support/bundle.ts";
import { capabilities } from "../support/bundle.ts";
import { run } from "../support/hako.ts";
import type { Target } from "./target.ts";

/** Has `exec` join a container in which spy.c runs, many times. @returns what the spy has printed first */
async function spied(
  target: Target,
  mode: "all" | "exe",
  config: Changes<Config>,
  owner = 0,
): Promise<string | undefined> {
  const spy = `${target.box.directory}/spy`;
  const source = new URL("spy.c", import.meta.url).pathname;
  const { status, stderr } = await run(["gcc", "-O1", "-Wall", "-static", "-o", spy, source]);
  if (status !== 0) throw new Error(stderr);
  const output = `${target.box.directory}/output`;
  const image = (rootfs: string) => {
    Deno.copyFileSync(spy, `${rootfs}/bin/spy`);
    for (const path of ["", "/dev", "/proc", "/sys"]) Deno.chownSync(rootfs + path, owner, owner);
  };
  const found = () =>
    Deno.readTextFileSync(output).split("\n").find((line) => /^(opened|traces|overwr)/.test(line));
  return await target.beside({ args: ["/bin/spy", mode], config, image }, async () => {
    for (let round = 0; round < target.rounds / 4; round++) {
      await target.command("exec", target.box.id, "sh", "-c", "exit 7", "victim");
      const line = found();
      if (line !== undefined) return `${line}, in round ${round + 1}`;
    }
  });
}

/** Traces it and opens its memory, directories and descriptors, as root of the container. */
export function tracing(target: Target): Promise<string | undefined> {
  return spied(target, "all", {});
}

/** The same as root of a user namespace, who has all capabilities there. */
export function tracingInUserNamespace(target: Target): Promise<string | undefined> {
  const HOST_ID = 100000;
  const map = [{ containerID: 0, hostID: HOST_ID, size: 65536 }];
  const types = ["pid", "ipc", "uts", "mount", "network", "user"] as const;
  const all = capabilities("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN", "CAP_KILL");
  return spied(target, "all", {
    process: { capabilities: all },
    linux: { uidMappings: map, gidMappings: map, namespaces: types.map((type) => ({ type })) },
  }, HOST_ID);
}

/** Who may trace may open the executable: it must be one that nobody can write to. */
export function overwriting(target: Target): Promise<string | undefined> {
  const all = capabilities("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_KILL");
  return spied(target, "exe", { process: { capabilities: all } });
}
