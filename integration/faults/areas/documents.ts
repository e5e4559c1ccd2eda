/** The commands whose work is a file: what they read, and what they write. @module */
import { createHash } from "node:crypto";
import { relative } from "node:path";
import { Container } from "../../../runtime/container/container.ts";
import { absolute } from "../../../runtime/container/criu/folders.ts";
import { gatherHost } from "../../../runtime/host/gather.ts";
import { hostToJson } from "../../../runtime/plan/host.ts";
import { stringify } from "../../../runtime/spec/json.ts";
import { exists } from "../../support/files.ts";
import type { GoldenBundle } from "../golden.ts";
import { hako, type Scenario } from "../scenarios.ts";
import { command } from "./command.ts";

/** Each of them, with the files of a directory of their own. */
export function documents(bundle: GoldenBundle): Scenario[] {
  const { path, config, id, root } = bundle;
  const directory = `${path}/documents`;
  const plain = `${directory}/plain`;
  const host = `${directory}/host.json`;
  const image = `${directory}/rootfs`;
  const small = `${directory}/small`;
  for (const name of [directory, plain, image, `${image}/directory`, small]) Deno.mkdirSync(name);
  // What has hooks cannot be compiled.
  const compilable = (rootfs: string) => stringify({ ...config, root: { path: rootfs }, hooks: undefined });
  Deno.writeTextFileSync(`${plain}/config.json`, compilable(`${path}/rootfs`));
  Deno.writeTextFileSync(`${small}/config.json`, compilable(image));
  Deno.writeTextFileSync(host, hostToJson(gatherHost(config, { id: "container", bundle: path })));

  const to = (name: string) => `${directory}/${name}`;
  const fromHere = (place: string) => relative(Deno.cwd(), place);
  return [
    writes(
      to("spec/config.json"),
      command(bundle, ["spec", "--host", "--bundle", to("spec")], {
        prepare: () => exists(to("spec")) && Deno.removeSync(to("spec"), { recursive: true }),
      }),
    ),
    command(bundle, ["explain", "--bundle", path, "--host", host]),
    command(bundle, ["explain", "--bundle", fromHere(path)]),
    command({ ...bundle, root: fromHere(root) }, ["list"]),
    { name: "images from here", act: () => void absolute("images") },
    command(bundle, ["explain", to("compiled")], {
      before: [["compile", "--bundle", plain, "--output", to("compiled")]],
    }),
    // What it prints is about time.
    {
      ...command(bundle, ["explain", "--timing", "--svg", to("svg"), "--exec", id, "/bin/true"], {
        running: true,
      }),
      orphans: true,
      output: () => "",
    },
    embeds(bundle, directory, [
      "compile",
      "--embed",
      "squashfs",
      "--bundle",
      small,
      "--output",
      to("embedded"),
    ]),
    command(bundle, ["bpf", "stats", `${path}/config.json`]),
    dumps(bundle),
  ];

  /** The filter of a container that runs. */
  function dumps(bundle: GoldenBundle): Scenario {
    const { prepare, ...rest } = command(bundle, ["bpf", "dump", "PID"], { running: true });
    let pid: number;
    let printed = "";
    return {
      ...rest,
      async prepare() {
        const expected = await prepare!();
        ({ pid } = Container.load(root, id));
        return expected;
      },
      async act() {
        printed = "";
        printed = await hako(root, "bpf", ["dump", `${pid}`]);
      },
      output: () => printed,
    };
  }
}

/** A scenario whose answer is the file that it writes. */
function writes(file: string, scenario: Scenario): Scenario {
  return { ...scenario, output: () => digest(file) };
}

/** Compiles with an image, which is made where temporary files are. */
function embeds(bundle: GoldenBundle, directory: string, words: readonly string[]): Scenario {
  const before = Deno.env.get("TMPDIR");
  return {
    ...writes(
      words.at(-1)!,
      command(bundle, words, {
        prepare: () => Deno.env.set("TMPDIR", directory),
        temporary: directory,
      }),
    ),
    finish: () => before === undefined ? Deno.env.delete("TMPDIR") : Deno.env.set("TMPDIR", before),
  };
}

function digest(file: string): string {
  return exists(file) ? createHash("sha256").update(Deno.readFileSync(file)).digest("hex") : "no file";
}
