import { assertEquals, assertNotEquals } from "@std/assert";
import { Box, containerTest } from "./fixture.ts";
import { run } from "./hako.ts";
import { snapshot } from "./leaks.ts";

containerTest("a box takes the containers with it whose state is lost", async () => {
  const box = new Box();
  try {
    const { path } = box.bundle({ args: ["/bin/sleep", "100"] });
    const { status } = await run(box.command(path, {
      options: ["--detach"],
      under: ["sh", "-c", '"$@" >/dev/null 2>&1', "sh"],
    }));
    assertEquals(status, 0);
    Deno.removeSync(box.state, { recursive: true });
    assertNotEquals(snapshot(box.id).cgroups, []);
  } finally {
    await box.remove();
  }
  assertEquals(snapshot(box.id).cgroups, []);
});
