import { assertEquals } from "@std/assert";
import { fingerprint } from "../../wasm/build.ts";

Deno.test("the fingerprint is that of the compiler: if this fails, run `deno task wasm`", async () => {
  const read = (name: string) => Deno.readTextFileSync(new URL(`../../wasm/${name}`, import.meta.url));
  assertEquals(read("fingerprint.ts"), await fingerprint(read("compiler.ts")));
});
