/** The heap of a snapshot: glibc has grown it by brk(2), and the break of the new process is elsewhere. */

import { assertEquals } from "@std/assert";
import { snapshotCommand } from "../../build.ts";
import { command, installTest } from "./clean_root.ts";

installTest(
  "a snapshot frees what has been allocated before it was taken",
  Deno.build.arch === "x86_64" ? undefined : "snapshots are for x86_64",
  (directory) => {
    const source = new URL("heap.ts", import.meta.url).pathname;
    const script = `${directory}/heap.js`;
    command([Deno.execPath(), "bundle", "--quiet", "--output", script, source]);
    const { env, command: deno } = snapshotCommand(Deno.execPath());
    command([...deno, script, "take", `${directory}/heap`, ...deno], { env });
    assertEquals(command([`${directory}/heap`]), "freed\n");
  },
);
