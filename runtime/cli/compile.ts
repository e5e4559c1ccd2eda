/** `hako compile`: save what `run` would do as an executable that needs no Hako. @module */

import { readBundle } from "../container/bundle.ts";
import { ignoredMembers } from "../container/ignored.ts";
import { makeFile } from "../container/temporary.ts";
import { UsageError } from "../errors.ts";
import { messageOf } from "../linux/deno_error.ts";
import { log } from "../log.ts";
import { defineCommand } from "./command.ts";
import { createOptions } from "./create_options.ts";
import { VERSION } from "./version.ts";

export const compile = defineCommand({
  name: "compile",
  summary: "save a container as an executable that runs it without Hako",
  usage: "[options] -o FILE",
  positionals: { min: 0, max: 0 },
  options: {
    bundle: createOptions.bundle,
    config: createOptions.config,
    output: {
      type: "text",
      short: "o",
      value: "FILE",
      complete: "file",
      help: "write the executable to FILE",
    },
    arch: {
      type: "choice",
      value: "CPU",
      choices: ["x86_64", "aarch64"],
      help: "for this CPU (this machine's)",
    },
    rootless: { type: "flag", help: "to be run by a user without root's rights" },
    embed: {
      type: "choice",
      value: "TYPE",
      choices: ["erofs", "squashfs"],
      help: "put the root filesystem into the executable, as an image of this type",
    },
    name: { type: "text", value: "NAME", help: "how its cgroups and its errors are called (FILE's name)" },
    "keep-args": {
      type: "count",
      value: "N",
      help: "arguments of the executable replace those of process.args from the N-th on (they follow them)",
    },
    env: {
      type: "list",
      short: "e",
      value: "NAME[=VALUE]",
      help: "set a variable, or without =VALUE take it from who runs the executable",
    },
    "no-pivot": createOptions["no-pivot"],
    "no-new-keyring": createOptions["no-new-keyring"],
  },
  async action({ options }) {
    const { output, arch, rootless, embed, env } = options;
    if (output === undefined) throw new UsageError("compile needs -o FILE, where the executable goes");
    const { compileBundle } = await import("../container/compile.ts");
    const { writeCompiled } = await import("../container/compiled_file.ts");
    const bundle = readBundle(options.bundle, options.config);
    ignoredMembers(bundle.config).forEach((line) => log.warn(line));
    const cpu = arch ?? Deno.build.arch;
    const standalone = await compileBundle(bundle, {
      name: options.name ?? output.slice(output.lastIndexOf("/") + 1),
      cpu,
      rootless,
      ...(embed && { embed }),
      env,
      ...(options["keep-args"] !== undefined && { kept: options["keep-args"] }),
      noPivot: options["no-pivot"],
      noNewKeyring: options["no-new-keyring"],
    });
    const bytes = await writeCompiled(
      { version: VERSION, cpu, standalone },
      embed && (await import("../container/embedded_image.ts")).makeImage(bundle, embed),
    );
    save(output, bytes);
    return 0;
  },
});

/** Not over a file that may be running, nor half of one. */
function save(output: string, bytes: Uint8Array): void {
  let temporary: string | undefined;
  try {
    const place = placeOf(output);
    temporary = makeFile(place.slice(0, place.lastIndexOf("/") + 1) || ".", ".hako-");
    Deno.writeFileSync(temporary, bytes);
    Deno.chmodSync(temporary, 0o755);
    Deno.renameSync(temporary, place);
  } catch (error) {
    if (temporary !== undefined) Deno.removeSync(temporary);
    throw new UsageError(`cannot write ${output}: ${messageOf(error)}`);
  }
}

/** Where `output` leads to. rename(2) puts a file in the place of whatever is there, even of /dev/null or /dev/stdout. */
function placeOf(output: string): string {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(output);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return output;
    throw error;
  }
  if (!info.isFile && !info.isDirectory) throw new Error("it is no regular file");
  return Deno.realPathSync(output);
}
