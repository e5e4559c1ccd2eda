import { assertEquals } from "@std/assert";

/** Fails if this process has children, be it dead ones that nobody has waited for. */
export function assertNoChildren(): void {
  const tasks = [...Deno.readDirSync("/proc/self/task")];
  assertEquals(
    tasks.map(({ name }) => Deno.readTextFileSync(`/proc/self/task/${name}/children`)).join(""),
    "",
  );
}
