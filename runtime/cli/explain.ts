/** `hako explain`: print what `run` would do, without doing it. @module */

import { readBundle } from "../container/bundle.ts";
import { compileFilter } from "../container/filter.ts";
import { stateRoot } from "../container/state.ts";
import { UsageError } from "../errors.ts";
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
    timing: { type: "flag", help: "run the container, and print where the time goes instead" },
    svg: { type: "text", value: "FILE", complete: "file", help: "with --timing: draw it to FILE" },
    host: {
      type: "text",
      value: "FILE",
      complete: "file",
      help: "plan for the host that FILE describes, not for this one",
    },
  },
  async action({ options, args: [file], global, print }) {
    if (options.timing) {
      const { drawSpans, formatSpans, timeRun } = await import("../container/timing.ts");
      const { path: bundle, config } = readBundle(options.bundle);
      const spans = await timeRun(config, { id: `timing-${Deno.pid}`, bundle, root: stateRoot(global.root) });
      if (options.svg !== undefined) Deno.writeTextFileSync(options.svg, drawSpans(spans));
      print(formatSpans(spans));
      return 0;
    }
    if (file !== undefined && isDirectory(file)) {
      throw new UsageError(`${file} is a directory: hako explain --bundle ${file}`);
    }
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

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // Whoever reads it says why.
  }
}
