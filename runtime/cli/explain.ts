/** `hako explain`: print what `run` would do, without doing it. @module */

import { readBundle } from "../container/bundle.ts";
import { Container } from "../container/container.ts";
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
  usage: "[options] [FILE | -- COMMAND [ARGUMENT...]]",
  positionals: { min: 0 },
  options: {
    bundle: bundleOption,
    json: { type: "flag", help: "print the plan as JSON" },
    timing: { type: "flag", help: "run the container, and print where the time goes instead" },
    exec: {
      type: "text",
      value: "ID",
      help: "with --timing: run COMMAND in the container ID instead, as exec does",
    },
    svg: { type: "text", value: "FILE", complete: "file", help: "with --timing: draw it to FILE" },
    host: {
      type: "text",
      value: "FILE",
      complete: "file",
      help: "plan for the host that FILE describes, not for this one",
    },
  },
  async action({ options, args, global, print }) {
    const given = (...names: readonly (keyof typeof options)[]) => names.find((name) => options[name]);
    if (options.timing) {
      const unused = given("json", "host");
      if (unused !== undefined) throw new UsageError(`explain --timing does not go with --${unused}`);
      print(await timing(options, args, stateRoot(global.root)));
      return 0;
    }
    const misplaced = given("exec", "svg");
    if (misplaced !== undefined) throw new UsageError(`explain --${misplaced} goes with --timing`);
    if (args.length > 1) throw new UsageError("explain takes one FILE");
    const [file] = args;
    if (file !== undefined && isDirectory(file)) {
      throw new UsageError(`${file} is a directory: hako explain --bundle ${file}`);
    }
    // The names of all flags: nothing that another command should load.
    const { formatPlan, planToJson } = await import("../plan/format.ts");
    if (file !== undefined) {
      const unused = given("bundle", "host");
      if (unused !== undefined) throw new UsageError(`explain FILE does not go with --${unused}`);
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

/** Runs a container, or a COMMAND in one that runs. @returns where the time went */
async function timing(
  { bundle, exec, svg }: { readonly [name in "bundle" | "exec" | "svg"]: string | undefined },
  command: readonly string[],
  root: string,
): Promise<string> {
  if (exec === undefined && command.length > 0) {
    throw new UsageError("explain --timing takes a bundle, and no FILE");
  }
  if (exec !== undefined && command.length === 0) throw new UsageError("explain --exec ID takes a COMMAND");
  const { drawSpans, formatSpans, timeExec, timeRun } = await import("../container/timing.ts");
  const run = () => {
    const { path, config } = readBundle(bundle);
    return timeRun(config, { id: `timing-${Deno.pid}`, bundle: path, root });
  };
  const spans = exec === undefined ? await run() : await timeExec(Container.load(root, exec), command);
  if (svg !== undefined) Deno.writeTextFileSync(svg, drawSpans(spans));
  return formatSpans(spans);
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // Whoever reads it says why.
  }
}
