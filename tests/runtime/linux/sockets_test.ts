/** Names of Unix sockets, which have room for 107 bytes. */
import { assertEquals, assertThrows } from "@std/assert";
import { SyscallError } from "../../../runtime/errors.ts";
import { close } from "../../../runtime/linux/files.ts";
import { connectUnix, listenUnix } from "../../../runtime/linux/sockets.ts";

Deno.test("a socket may be in a long path, and has no longer name than fits: a part of it would be another one's", () => {
  const directory = Deno.makeTempDirSync({ prefix: "hako-sockets-" });
  try {
    const deep = `${directory}/${"long".repeat(40)}`;
    Deno.mkdirSync(deep);
    const listening = listenUnix(`${deep}/socket`);
    close(connectUnix(`${deep}/socket`));
    close(listening);

    for (const name of [`${directory}/${"x".repeat(108)}`, `@${"x".repeat(108)}`]) {
      assertThrows(() => close(listenUnix(name)), SyscallError, "file name too long (ENAMETOOLONG)");
    }
    assertEquals([...Deno.readDirSync(directory)].length, 1);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
