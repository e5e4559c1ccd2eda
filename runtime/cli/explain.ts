/** `hako explain`: print what `run` would do, without doing it. @module */

import { readBundle } from "../container/bundle.ts";
import { compileFilter } from "../container/filter.ts";
import { gatherHost } from "../host/gather.ts";
import { hostFromJson } from "../plan/host.ts";
import { planCreate } from "../plan/plan.ts";
import { defineCommand } from "./command.ts";
import { bundleOption } from "./create_options.ts";
import { VERSION } from "./version.ts";

export const explain = defineCommand({
  name: "explain",
  summary: "print the system calls that a bundle, or the executable FILE, is compiled to",
  usage: "[options] [FILE]",
  positionals: { min: 0, max: 1 },
  options: {
    bundle: bundleOption,
    json: { type: "flag", help: "print the plan as JSON" },
    host: {
      type: "text",
      value: "FILE",
      complete: "file",
      help: "plan for the host that FILE describes, not for this one",
    },
  },
  async action({ options, args: [file], print }) {
    // The names of all flags: nothing that another command should load.
    const { formatPlan, planToJson } = await import("../plan/format.ts");
    if (file !== undefined) {
      const { explainFile } = await import("../container/compiled_file.ts");
      print(await explainFile(file, { json: options.json, ownVersion: VERSION }));
      return 0;
    }
    const { config, path } = readBundle(options.bundle);
    const host = options.host === undefined
      ? gatherHost(config, { id: "container", bundle: path })
      : hostFromJson(Deno.readTextFileSync(options.host));
    const plan = planCreate(config, host, await compileFilter(config));
    print(options.json ? `${JSON.stringify(planToJson(plan), null, 2)}\n` : formatPlan(plan));
    return 0;
  },
});
