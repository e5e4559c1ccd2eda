/**
 * The file of a compiled container: the executable, and behind it the plan for people, which nothing reads at run time.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import type { Image } from "../init/executable.ts";
import type { Cpu } from "../linux/generated/syscalls.ts";
import { IMAGE_OFFSETS, type ImageType } from "../plan/embedded.ts";
import { formatPlan, planToJson } from "../plan/format.ts";
import type { Standalone } from "../plan/standalone.ts";
import { PID } from "../plan/standalone_cgroup.ts";
import { toExecutable } from "./compile.ts";

/** The end of each file. */
const MAGIC = new TextEncoder().encode("hakoplan");
const LENGTH_BYTES = 4;

/** What is written to a file. */
export interface Compiled {
  /** Of Hako. */
  readonly version: string;
  readonly cpu: Cpu;
  readonly standalone: Standalone;
  /** The image in it. */
  readonly embedded?: { readonly type: ImageType; readonly bytes: number };
}

/** The bytes of the file. */
export async function writeCompiled(
  contents: Omit<Compiled, "embedded">,
  image?: Image,
): Promise<Uint8Array<ArrayBuffer>> {
  const compiled: Compiled = {
    ...contents,
    ...(image && { embedded: { type: image.type, bytes: image.bytes.length } }),
  };
  const { standalone, cpu } = compiled;
  const plan = await pipe(new TextEncoder().encode(toJson(compiled)), new CompressionStream("deflate-raw"));
  const length = new Uint8Array(Uint32Array.of(plan.length).buffer);
  const blob = new Blob([toExecutable(standalone, cpu, image), plan, length, MAGIC]);
  return new Uint8Array(await blob.arrayBuffer());
}

/**
 * What a file was compiled from.
 *
 * @throws {StateError} if it is no such file
 */
async function readCompiled(path: string, file: Uint8Array<ArrayBuffer>): Promise<Compiled> {
  const magicAt = file.length - MAGIC.length;
  const lengthAt = magicAt - LENGTH_BYTES;
  if (lengthAt < 0 || MAGIC.some((byte, index) => file[magicAt + index] !== byte)) {
    throw new StateError("", `${path} is not a compiled container`);
  }
  const planAt = lengthAt - new DataView(file.buffer).getUint32(lengthAt, true);
  try {
    const plan = await pipe(
      file.slice(Math.max(0, planAt), lengthAt),
      new DecompressionStream("deflate-raw"),
    );
    return fromJson(new TextDecoder().decode(plan));
  } catch {
    throw new StateError("", `${path}: the plan in it cannot be read`);
  }
}

/**
 * The plan of the file at `path`, for `hako explain`. Only a file whose code is what that plan gives is believed.
 *
 * @throws {StateError} if it is no such file, if it has other code than its plan gives, or if another version of Hako has
 *   written it: then nobody can tell
 */
export async function explainFile(
  path: string,
  { json, ownVersion }: { readonly json: boolean; readonly ownVersion: string },
): Promise<string> {
  const file = Deno.readFileSync(path);
  const { version, cpu, standalone, embedded } = await readCompiled(path, file);
  if (version !== ownVersion) {
    throw new StateError("", `${path} was compiled by hako ${version}, and only that can tell what it does`);
  }
  const image = embedded && imageIn(file, embedded);
  if (toExecutable(standalone, cpu, image).some((byte, index) => file[index] !== byte)) {
    throw new StateError("", `${path} has other code than its plan gives: do not run it`);
  }
  const { container, cleanup, ...rest } = standalone;
  if (json) {
    const plans = { container: planToJson(container), cleanup: planToJson(cleanup) };
    return `${JSON.stringify({ cpu, ...rest, ...plans }, null, 2)}\n`;
  }
  const { args, kept, env, passed } = rest;
  const list = (words: readonly string[]) =>
    words.map((word) => ` ${JSON.stringify(word)}`).join("") || " none";
  return [
    `${path}: for ${cpu}${
      embedded ? `, with ${embedded.bytes} bytes of root filesystem as ${embedded.type}` : ""
    }\n`,
    `$argv:${list(args)}; arguments of the executable go behind the first ${kept}\n`,
    `$envp:${list(env)}; taken from the caller:${list(passed)}\n`,
    `${PID} is the pid of the process that waits, in hexadecimal\n\n`,
    `In a child of that process:\n`,
    formatPlan(container),
    `\nWhen the container has ended:\n`,
    formatPlan(cleanup),
  ].join("");
}

function imageIn(file: Uint8Array, { type, bytes }: NonNullable<Compiled["embedded"]>): Image {
  return { type, bytes: file.subarray(IMAGE_OFFSETS[type], IMAGE_OFFSETS[type] + bytes) };
}

async function pipe(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of new Blob([bytes]).stream().pipeThrough(through)) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** With what JSON lacks: integers beyond 2^53, and bytes. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member) => {
    if (typeof member === "bigint") return { $integer: `${member}` };
    return member instanceof Uint8Array ? { $bytes: member.toHex() } : member;
  });
}

function fromJson(text: string): Compiled {
  return JSON.parse(text, (_, member) => {
    if (typeof member !== "object" || member === null) return member;
    if ("$integer" in member) return BigInt(member.$integer);
    return "$bytes" in member ? Uint8Array.fromHex(member.$bytes) : member;
  });
}
