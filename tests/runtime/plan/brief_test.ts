import { assertEquals } from "@std/assert";
import { briefCall } from "../../../runtime/plan/brief.ts";
import { slot } from "../../../runtime/plan/node.ts";

Deno.test("an error's call has paths and descriptors, and no numbers", () => {
  assertEquals(
    briefCall({ call: "fsconfig", args: [slot("$fs"), 1, "size", "zzz", 0] }),
    'fsconfig($fs, "size", "zzz")',
  );
  assertEquals(
    briefCall({ call: "move_mount", args: [slot("$m"), "", slot("$t"), "", 6] }),
    "move_mount($m, $t)",
  );
  assertEquals(briefCall({ call: "unshare", args: [0x20000] }), "unshare()");
});
