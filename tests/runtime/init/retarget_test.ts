import { assertEquals } from "@std/assert";
import { retarget } from "../../../runtime/init/retarget.ts";
import { attempt, type Plan, step, tolerate } from "../../../runtime/plan/node.ts";

const reason = { label: "open", pointer: "runtime" };

/** O_NOFOLLOW|O_DIRECTORY|O_CLOEXEC, of asm/fcntl.h. */
const FLAGS = { x86_64: 0o400000 | 0o200000 | 0o2000000, aarch64: 0o100000 | 0o40000 | 0o2000000 };

function plan(flags: number): Plan {
  const open = step(reason, "openat", [-100, "/", flags, 0]);
  const how = { struct: "open_how", members: { flags, mode: 0, resolve: 16 } } as const;
  return [
    open,
    attempt(open, ["ENOENT"], {
      then: [step(reason, "openat2", [3, "a", how, 24])],
      otherwise: [tolerate(open, ["EPERM"])],
    }),
    { kind: "fork", ...reason, flags: 17, save: "$helper", child: [open] },
    // Where the same bits mean something else.
    step(reason, "mount", [null, "/", null, flags, null]),
  ];
}

Deno.test("retarget: the flags of open(2) become those of the other CPU, all others stay", () => {
  const last = (to: Plan) => [...to.slice(0, -1), plan(FLAGS.x86_64).at(-1)!];
  assertEquals(retarget(plan(FLAGS.x86_64), "x86_64", "aarch64"), last(plan(FLAGS.aarch64)));
  assertEquals(retarget(plan(FLAGS.x86_64), "x86_64", "x86_64"), plan(FLAGS.x86_64));
});
