/**
 * Every step of real plans fails once: the error names it, and nothing is left behind.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Container } from "../../runtime/container/container.ts";
import { createContainer } from "../../runtime/container/create.ts";
import { StateError, SyscallError } from "../../runtime/errors.ts";
import { walk } from "../../runtime/plan/format.ts";
import type { Plan, Reason } from "../../runtime/plan/node.ts";
import { containerTest } from "../support/fixture.ts";
import { assertNothingLeft, snapshot } from "../support/leaks.ts";
import { failAt, faultName } from "./fail_at.ts";
import { assertNoChildren } from "./children.ts";
import { GOLDEN, type GoldenBundle, goldenBundle } from "./golden.ts";

type Outcome = "create" | "start" | "success";

/** Runs the bundle to its end. @returns which phase failed, and how */
async function run(bundle: GoldenBundle, transform: (plan: Plan) => Plan): Promise<[Outcome, unknown?]> {
  const { id, config, path, root } = bundle;
  let container: Container;
  try {
    container = await createContainer(config, { id, bundle: path, root, transform });
  } catch (error) {
    return ["create", error];
  }
  try {
    container.start();
    assertEquals(await container.wait(), { kind: "exited", code: 0 });
    return ["success"];
  } catch (error) {
    return ["start", error];
  } finally {
    container.delete(true);
  }
}

function assertNames(error: unknown, number: number, { label, pointer }: Reason): void {
  const call = `mkdirat("${faultName(number)}")`;
  if (number === 1) {
    // Where the init maps the page on which it would say so.
    assert(error instanceof StateError, `${error}`);
    assertEquals(error.message, `${label}: ${call}: the init was killed`);
    return;
  }
  assert(error instanceof SyscallError, `${error}`);
  assertEquals([error.label, error.pointer, error.errno.name], [label, pointer, "EBADF"]);
  assertStringIncludes(error.message, call);
}

for (const name of GOLDEN) {
  containerTest(`each step of ${name} fails by its name and leaves nothing`, async (box) => {
    const bundle = goldenBundle(box, name);
    let plan: Plan = [];
    // The first run makes what the image lacks, so its plan is not that of the others.
    for (let round = 0; round < 2; round++) {
      const [outcome, error] = await run(bundle, (made) => plan = made);
      assertEquals(outcome, "success", `${error}`);
    }

    const before = snapshot(box.id);
    const count = { create: 0, start: 0, forced: 0 };
    let started = false;
    for (const { node, number, depth } of walk(plan)) {
      let [outcome, error] = await run(bundle, (plan) => failAt(plan, number));
      if (outcome === "success") {
        assert(depth > 0, `node ${number} was passed over`);
        [outcome, error] = await run(bundle, (plan) => failAt(plan, number, true));
        count.forced++;
      }
      assertEquals(outcome, started ? "start" : "create");
      assertNames(error, number, node.kind === "attempt" ? node.step : node);
      assertNoChildren();
      assertEquals([...Deno.readDirSync(bundle.root)], []);
      await assertNothingLeft(before, box.id);
      count[started ? "start" : "create"]++;
      started ||= node.kind === "barrier" && node.name === "start";
    }
    console.log(
      `${name}: ${count.create} faults in create, ${count.start} in start; ` +
        `${count.forced} of them in branches that this kernel takes only when forced`,
    );
  });
}
