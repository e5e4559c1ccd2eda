/** `hako spec`: write a config.json to start from. @module */

import { readHierarchies } from "../../cgroups/mod.ts";
import { makeHostRootfs } from "../container/host_rootfs.ts";
import { StateError, UsageError } from "../errors.ts";
import type { Config } from "../spec/config.ts";
import { defaultConfig } from "../spec/default.ts";
import { stringify } from "../spec/json.ts";
import { defineCommand } from "./command.ts";
import { bundleOption } from "./create_options.ts";

export const spec = defineCommand({
  name: "spec",
  summary: "write a config.json to start from",
  usage: "[options]",
  positionals: { min: 0, max: 0 },
  options: {
    bundle: bundleOption,
    file: {
      type: "text",
      short: "f",
      value: "FILE",
      complete: "file",
      help: "write FILE of the bundle, even if it exists (config.json)",
    },
    rootless: { type: "flag", help: "for a user without root's rights" },
    host: {
      type: "flag",
      help: "with the host's own /usr, /bin, /lib and /etc, read-only, as the root filesystem",
    },
  },
  action({ options: { bundle = ".", file, rootless, host } }) {
    const path = file?.startsWith("/") ? file : `${bundle}/${file ?? "config.json"}`;
    const cgroupNamespace = isPureV2();
    const base = defaultConfig({ rootless, cgroupNamespace, uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 });
    const config: Config = host ? { ...base, mounts: [...base.mounts ?? [], ...hostMounts(bundle)] } : base;
    try {
      Deno.writeTextFileSync(path, `${stringify(config, "\t")}\n`, { createNew: file === undefined });
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) {
        throw new StateError("", `File ${path} exists. Remove it first`);
      }
      if (error instanceof Deno.errors.NotFound) throw new UsageError(`${bundle}: no such file or directory`);
      throw error;
    }
    return 0;
  },
});

/** Whether there is nothing but cgroup v2: then runc and the engines give a container a namespace of its own. */
function isPureV2(): boolean {
  const [first, ...others] = readHierarchies();
  return first?.controllers === "" && others.length === 0;
}

function hostMounts(bundle: string) {
  Deno.mkdirSync(bundle, { recursive: true });
  return makeHostRootfs(`${bundle}/rootfs`);
}
