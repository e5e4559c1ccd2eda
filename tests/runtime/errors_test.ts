import { assertEquals } from "@std/assert";
import { ConfigError, StateError, SyscallError } from "../../runtime/errors.ts";

const HOSTILE = "a\n\0\x1b[2J\x7f\x9b";
const SHOWN = "a\\u000a\\u0000\\u001b[2J\\u007f\\u009b";

Deno.test("a message is one line without control characters, whatever a config has put into it", () => {
  const errno = { name: "ENOENT", number: 2, text: "no such file or directory" };
  const pointer = `/linux/sysctl/${HOSTILE}`;
  assertEquals(new ConfigError(pointer, HOSTILE).message, `config.json /linux/sysctl/${SHOWN}: ${SHOWN}`);
  assertEquals(new StateError("c1", HOSTILE).message, SHOWN);
  assertEquals(
    new SyscallError("open", errno, { label: HOSTILE, path: HOSTILE, pointer }).message,
    `${SHOWN}: open ${SHOWN}: no such file or directory (ENOENT), asked for by config.json /linux/sysctl/${SHOWN}`,
  );
});

Deno.test("the pointer itself is left as it is", () => {
  assertEquals(new ConfigError(`/annotations/${HOSTILE}`, "").pointer, `/annotations/${HOSTILE}`);
});
