import { assertEquals } from "@std/assert";
import { parseExact } from "../../../runtime/spec/json.ts";
import { parseConfig, parseProcess } from "../../../runtime/spec/parse.ts";

const golden = new URL("../../golden/", import.meta.url);

for (const { name } of Deno.readDirSync(golden)) {
  const config = new URL(`${name}/config.json`, golden);
  if (name === "exec" || !exists(config)) continue;
  Deno.test(`the config of ${name} is valid and stays as it is`, () => {
    const text = Deno.readTextFileSync(config);
    assertEquals(parseConfig(text) as unknown, parseExact(text));
  });
}

for (const { name } of Deno.readDirSync(new URL("exec/", golden))) {
  if (!name.endsWith(".process.json")) continue;
  Deno.test(`the process ${name} is valid and stays as it is`, () => {
    const text = Deno.readTextFileSync(new URL(`exec/${name}`, golden));
    assertEquals(parseProcess(text) as unknown, JSON.parse(text));
  });
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch {
    return false;
  }
}
