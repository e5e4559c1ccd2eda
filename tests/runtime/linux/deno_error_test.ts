/** Deno's errors in the words of all others. */

import { assertEquals } from "@std/assert";
import { denoErrno, messageOf } from "../../../runtime/linux/deno_error.ts";
import { ERRNO } from "../../../runtime/linux/generated/errno.ts";

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
}

const NOWHERE = "/nonexistent/it's";

for (
  const [name, action, message, errno] of [
    [
      "a file",
      () => Deno.readTextFileSync(NOWHERE),
      `read ${NOWHERE}: no such file or directory (ENOENT)`,
      "ENOENT",
    ],
    [
      "a file to be written",
      () => Deno.writeTextFileSync("/proc", ""),
      "write /proc: is a directory (EISDIR)",
      "EISDIR",
    ],
    [
      "two paths",
      () => Deno.renameSync(NOWHERE, "/tmp/x"),
      `rename ${NOWHERE} to /tmp/x: no such file or directory (ENOENT)`,
      "ENOENT",
    ],
    [
      "one without a class of its own",
      () => Deno.mkdirSync("/dev/null/x"),
      "mkdir /dev/null/x: not a directory (ENOTDIR)",
      "ENOTDIR",
    ],
    [
      "no path at all",
      () => Deno.makeTempDirSync({ dir: NOWHERE }),
      "tmpdir: no such file or directory (ENOENT)",
      "ENOENT",
    ],
  ] as const
) {
  Deno.test(name, () => {
    const error = errorOf(action);
    assertEquals([messageOf(error), denoErrno(error)], [message, ERRNO[errno]]);
  });
}

Deno.test("what is not Deno's says what it says", () => {
  assertEquals([messageOf(new Error("this")), denoErrno(new Error("this"))], ["this", undefined]);
  assertEquals(messageOf("that"), "that");
});
