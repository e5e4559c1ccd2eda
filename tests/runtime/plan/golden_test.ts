/**
 * The plan of every config in tests/golden, as text: a change of a builder is a change that a reader can see.
 *
 * `UPDATE_GOLDEN=1 deno test -A` or `deno test -A -- --update` writes the texts anew.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { formatPlan } from "../../../runtime/plan/format.ts";
import { hostFromJson } from "../../../runtime/plan/host.ts";
import { planCreate } from "../../../runtime/plan/plan.ts";
import { checkPlan } from "../../../runtime/plan/rules.ts";
import { parseConfig } from "../../../runtime/spec/parse.ts";

const GOLDEN = new URL("../../golden/", import.meta.url);
const update = Deno.env.get("UPDATE_GOLDEN") === "1" || Deno.args.includes("--update");

for (const { name } of [...Deno.readDirSync(GOLDEN)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  const file = (base: string) => new URL(`${name}/${base}`, GOLDEN);
  if (name === "exec") continue; // Files of `exec --process`, not of a container.

  Deno.test(`golden plan ${name}`, () => {
    const config = parseConfig(Deno.readTextFileSync(file("config.json")));
    const plan = planCreate(config, hostFromJson(Deno.readTextFileSync(file("host.json"))));
    assertEquals(checkPlan(plan), []);
    const text = formatPlan(plan);
    if (update) Deno.writeTextFileSync(file("plan.txt"), text);
    assertEquals(text, Deno.readTextFileSync(file("plan.txt")));
  });
}
