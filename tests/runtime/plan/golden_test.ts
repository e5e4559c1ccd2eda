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
  const [config, host] = [readIfPresent(file("config.json")), readIfPresent(file("host.json"))];
  if (config === undefined || host === undefined) continue;

  Deno.test(`golden plan ${name}`, () => {
    const plan = planCreate(parseConfig(config), hostFromJson(host));
    assertEquals(checkPlan(plan), []);
    const text = formatPlan(plan);
    if (update) Deno.writeTextFileSync(file("plan.txt"), text);
    assertEquals(text, Deno.readTextFileSync(file("plan.txt")));
  });
}

function readIfPresent(file: URL): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
}
