/**
 * At every barrier of real plans the init is killed once, and the runtime once.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Container } from "../../runtime/container/container.ts";
import { createContainer } from "../../runtime/container/create.ts";
import { StateError } from "../../runtime/errors.ts";
import { SIGKILL } from "../../runtime/linux/generated/constants.ts";
import { endsWithin, pidfdSendSignal } from "../../runtime/linux/processes.ts";
import type { BarrierName } from "../../runtime/plan/node.ts";
import { livingChildren } from "../support/children.ts";
import { containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";
import { atBarrier } from "./at_barrier.ts";
import { assertNoChildren } from "./children.ts";
import { GOLDEN, goldenBundle } from "./golden.ts";

/** All barriers that plans have, on each way through the namespaces. */
const BARRIERS: Readonly<Partial<Record<typeof GOLDEN[number], readonly BarrierName[]>>> = {
  "docker-default": ["mounted", "ready", "start"],
  "docker-hardened": ["mounted", "ready", "start"],
  "podman-userns": ["namespaces", "ready", "start"],
};

for (const name of GOLDEN) {
  for (const barrier of BARRIERS[name] ?? []) {
    containerTest(`${name}: the init is killed at the barrier ${barrier}`, async (box) => {
      const { id, config, path, root } = goldenBundle(box, name);
      const undo = atBarrier(barrier, ({ pidfd }) => {
        pidfdSendSignal(pidfd, SIGKILL);
        endsWithin(pidfd, 1000);
      });
      try {
        const error = await assertRejects(async () => {
          const container = await createContainer(config, { id, bundle: path, root });
          try {
            container.start();
          } finally {
            container.delete(true);
          }
        }, StateError);
        assertStringIncludes(error.message, barrier === "start" ? "has stopped" : "the init was killed");
      } finally {
        undo();
      }
      assertNoChildren();
    });

    containerTest(`${name}: the runtime is killed at the barrier ${barrier}`, async (box) => {
      const { id, path, root } = goldenBundle(box, name);
      const program = new URL("killed_runtime.ts", import.meta.url).pathname;
      const args = ["run", "--allow-all", "--no-check", program, barrier, path, root, id];
      // Its streams are ours: a pipe would stay open in the container.
      const { signal } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status;
      assertEquals(signal, "SIGKILL");
      assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), [id]);
      // The init waits for whoever starts it, or ends by itself.
      const init = barrier === "start" ? [Container.load(root, id).pid] : [];
      for (let tries = 0; tries < 100 && livingChildren().length > init.length; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assertEquals(livingChildren().map(({ pid }) => pid), init);
      if (barrier === "start") assertEquals(Container.load(root, id).status(), "created");
      const { status, stderr: output } = await run([...HAKO, "--root", root, "delete", "--force", id]);
      assertEquals([status, output], [0, ""]);
      assertEquals(livingChildren(), []);
    });
  }
}
