/**
 * The memory that the init shares with the runtime: where it is and what the plan keeps there.
 * runtime/init/record.ts has the layout of its first page.
 *
 * @module
 */
import { LATE_BYTES, type LateName } from "./node.ts";

/** Where the init's image has room for it. */
export const STATUS_ADDRESS = 0x500000;

const PAGE_BYTES = 4096;

const LATE_NAMES: readonly LateName[] = ["executable", "HOME"];

/** Size of the shared file: a page with the slots, then the late strings. */
export const STATUS_BYTES = PAGE_BYTES + LATE_NAMES.length * LATE_BYTES;

/** Where the runtime writes the late string `name`: an offset into the shared file. */
export function lateOffset(name: LateName): number {
  return PAGE_BYTES + LATE_NAMES.indexOf(name) * LATE_BYTES;
}
