/** What Hako reads and prints, and the JSON schemas of the specification. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { ociState } from "../../../runtime/container/state.ts";
import { defaultConfig } from "../../../runtime/spec/default.ts";
import { validateConfig } from "../../../runtime/spec/parse.ts";
import { changedConfig } from "./cases.ts";
import { resolve, type Schema, validator } from "./schema.ts";

const config = validator("config-schema.json");
const state = validator("state-schema.json");

for (const rootless of [false, true]) {
  Deno.test(`the config of hako spec${rootless ? " --rootless" : ""} has the specification's schema`, () => {
    config(JSON.parse(JSON.stringify(defaultConfig({ rootless, uid: 1000, gid: 1000 }))));
    assertEquals(config.errors, null);
  });
}

Deno.test("a state has the specification's schema", () => {
  const base = { id: "a", bundle: "/b", annotations: { key: "value" } };
  for (const one of [ociState({ ...base, pid: 1 }, "running"), ociState(base, "stopped")]) {
    assert(state(one), JSON.stringify(state.errors));
  }
  assertEquals(state({ ...ociState(base, "stopped"), bundle: undefined }), false);
});

/** A member as the schema has it, and a config in which it is of the wrong type. */
interface Member {
  readonly pointer: string;
  readonly config: unknown;
}

/** For other platforms than Linux. */
const FOREIGN = /^\/(solaris|windows|vm|zos|freebsd|process\/(commandLine|user\/username))/;

/**
 * All members beneath the part `schema` of `file`.
 *
 * @param wrap makes a config of the value at `pointer`
 */
function* members(
  schema: Schema,
  { file, pointer, wrap }: { readonly file: string; readonly pointer: string; wrap(value: unknown): unknown },
): Generator<Member> {
  if (schema.$ref !== undefined) {
    const target = resolve(schema.$ref, file);
    if (target !== undefined) yield* members(target.schema, { file: target.file, pointer, wrap });
    return;
  }
  for (const part of [...schema.allOf ?? [], ...schema.anyOf ?? [], ...schema.oneOf ?? []]) {
    yield* members(part, { file, pointer, wrap });
  }
  if (schema.enum !== undefined) yield { pointer, config: wrap("wrong") };
  else if (schema.type === "object" || schema.type === "array") yield { pointer, config: wrap("wrong") };
  else if (schema.type !== undefined) yield { pointer, config: wrap({}) };
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    yield* members(part, { file, pointer: `${pointer}/${name}`, wrap: (value) => wrap({ [name]: value }) });
  }
  if (schema.items !== undefined) {
    yield* members(schema.items, { file, pointer: `${pointer}/0`, wrap: (value) => wrap([value]) });
  }
  const { additionalProperties: rest } = schema;
  for (
    const part of [
      ...Object.values(schema.patternProperties ?? {}),
      ...typeof rest === "object" ? [rest] : [],
    ]
  ) {
    yield* members(part, { file, pointer: `${pointer}/a.b`, wrap: (value) => wrap({ "a.b": value }) });
  }
}

/** Those of a whole config: its other members, and those beside it in /linux and /process, are as they have to be. */
function* all(): Generator<Member> {
  const top = resolve("config-schema.json#", "")!.schema.properties!;
  const linux = resolve("config-linux.json#/linux", "")!.schema.properties!;
  const parts: readonly (readonly [string, Schema, string])[] = [
    ...Object.entries(top).filter(([name]) => name !== "linux" && name !== "process")
      .map(([name, part]) => [`/${name}`, part, "config-schema.json"] as const),
    ...Object.entries(top.process!.properties!)
      .map(([name, part]) => [`/process/${name}`, part, "config-schema.json"] as const),
    ...Object.entries(linux).map(([name, part]) => [`/linux/${name}`, part, "config-linux.json"] as const),
  ];
  for (const [pointer, part, file] of parts) {
    yield* members(part, { file, pointer, wrap: (value) => changedConfig({ [pointer]: value }) });
  }
}

Deno.test("every member that the specification has for Linux is known: a wrong type is refused, by its pointer", () => {
  let count = 0;
  for (const { pointer, config } of all()) {
    if (FOREIGN.test(pointer)) continue;
    count++;
    const error = assertThrows(() => validateConfig(config), ConfigError, pointer);
    assertEquals(error.pointer, pointer);
  }
  // So that a schema that cannot be read is no success.
  assert(count > 200, `${count} members`);
});
