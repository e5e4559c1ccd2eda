/** A program that has many calls fail, and prints the first result that is not theirs. @module */
import { ERRNO } from "../../../runtime/linux/generated/errno.ts";
import { trySyscall } from "../../../runtime/linux/libc.ts";

for (let count = 0; count < 1000; count++) {
  const result = trySyscall("close", [-1]);
  if (result === -ERRNO.EBADF) continue;
  console.log(`call ${count}: ${result}`);
  break;
}
