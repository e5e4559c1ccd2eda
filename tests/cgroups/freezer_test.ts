import { assertEquals, assertThrows } from "@std/assert";
import { Directory } from "../../cgroups/directory.ts";
import * as freezerV1 from "../../cgroups/v1/freezer.ts";
import * as freezerV2 from "../../cgroups/v2/freezer.ts";

/** A cgroup whose processes never stop. */
class Restless extends Directory {
  readonly written: string[] = [];

  constructor(readonly content: string | Error) {
    super("/restless");
  }

  override write(file: string, value: string): void {
    this.written.push(`${file}=${value}`);
  }

  override read(): string {
    if (this.content instanceof Error) throw this.content;
    return this.content;
  }
}

Deno.test("what cannot be frozen with v1 is tried again, thawed now and then, and in the end", () => {
  const cgroup = new Restless("FREEZING\n");
  assertThrows(
    () => freezerV1.freeze(cgroup),
    Error,
    "cannot freeze /restless: processes are made faster than they stop",
  );
  assertEquals(cgroup.written.filter((line) => line === "freezer.state=FROZEN").length, 1000);
  assertEquals(cgroup.written.filter((line) => line === "freezer.state=THAWED").length, 21);
  assertEquals(cgroup.written.at(-1), "freezer.state=THAWED");
});

Deno.test("a freeze that fails is followed by a thaw", () => {
  for (
    const [freezer, last] of [[freezerV1, "freezer.state=THAWED"], [freezerV2, "cgroup.freeze=0"]] as const
  ) {
    const cgroup = new Restless(new Error("gone"));
    assertThrows(() => freezer.freeze(cgroup), Error, "gone");
    assertEquals(cgroup.written.at(-1), last);
  }
});
