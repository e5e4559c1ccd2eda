/** Exchanges two files as fast as it can, until it is killed: `swap.ts ONE OTHER`. @module */
import { AT_FDCWD } from "../../runtime/linux/generated/constants.ts";
import { cString, syscall } from "../../runtime/linux/libc.ts";

const RENAME_EXCHANGE = 2;
const [one, other] = Deno.args.map(cString);
console.log("ready");
for (;;) syscall("renameat2", [AT_FDCWD, one!, AT_FDCWD, other!, RENAME_EXCHANGE]);
