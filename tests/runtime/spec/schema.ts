/** The JSON schemas of the specification: schema/README.md. @module */

import { Ajv, type ValidateFunction } from "ajv";

/** A schema, or a part of one. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

const directory = new URL("schema/", import.meta.url);
const files = new Map<string, Schema>();
for (const { name } of Deno.readDirSync(directory)) if (name.endsWith(".json")) files.set(name, read(name));

function read(name: string): Schema {
  const text = Deno.readTextFileSync(new URL(name, directory))
    // A slip in defs.json: no pointer, nor an anchor that exists.
    .replaceAll('"#definitions/', '"#/definitions/');
  const { $schema: _, ...schema } = JSON.parse(text);
  return schema;
}

/** The part that `reference` names, seen from `file`; nothing if it is of another platform. */
export function resolve(
  reference: string,
  file: string,
): { readonly schema: Schema; readonly file: string } | undefined {
  const [name, pointer = ""] = reference.split("#");
  const target = name || file;
  let part: unknown = files.get(target);
  for (const token of pointer.split("/").slice(1)) {
    part = (part as Record<string, unknown> | undefined)?.[token];
  }
  return part === undefined ? undefined : { schema: part as Schema, file: target };
}

/** What the schema of `file` says of a value: {@linkcode ValidateFunction.errors}. */
export function validator(file: string): ValidateFunction {
  const ajv = new Ajv({ strict: false, validateSchema: false, validateFormats: false, allErrors: true });
  for (const platform of ["solaris", "windows", "vm", "zos", "freebsd"]) {
    ajv.addSchema({ [platform]: {} }, `config-${platform}.json`);
  }
  for (const [name, schema] of files) ajv.addSchema(schema, name);
  return ajv.getSchema(file)!;
}
