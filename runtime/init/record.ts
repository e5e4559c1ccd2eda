/**
 * What the stub and the encoder agree on: the record of one step, and the status page.
 *
 * The stub (stub_x86_64.S, stub_aarch64.S) is a loop over records and knows nothing else:
 *
 * ```
 *   next:  status.record = record                     so that even a step killed by a signal is named
 *          a1..a6 = *record.args[0..5]                an argument is the address of its value: a constant's or a slot's
 *          result = syscall(record.nr, a1..a6)
 *          *record.save = result
 *          if -4095 <= result <= -1:
 *            look for -result in record.errnos        unused ones are 0
 *              found:      offset = record.caught
 *              not found:  status.errno = -result; status.failed = record; exit_group(1)
 *          else offset = result == 0 ? record.zero : record.next
 *          if offset == 0: exit_group(0)              the end of a forked parent, or of an init whose runtime has died
 *          record += offset                           forward only
 *          goto next
 * ```
 *
 * Record, 88 bytes, little-endian, 8-byte aligned:
 * ```
 *    0  u32  nr
 *    4  u32  next     bytes to the next record when the result is positive
 *    8  u32  zero     the same when it is 0
 *   12  u32  caught   the same when the errno is listed
 *   16  u64  save     address that takes the result
 *   24  u64  args[6]  addresses of the arguments' values
 *   72  u16  errnos[6]
 *   84  u32  text     address of what a compiled executable says when it fails: supervisor.ts
 * ```
 *
 * Status page, at {@linkcode STATUS_ADDRESS}: private memory of the image until the first step maps the shared file over it.
 * ```
 *    0  u64  record   address of the record that runs
 *    8  u64  failed   address of the record that failed, 0 if none. Kept apart from `record`, for a parent that forked
 *                     may still be on its way out while its child has already failed
 *   16  u64  errno    of that failure
 *   24  u64  slots[]
 * 4096  late strings, LATE_BYTES each
 * ```
 *
 * @module
 */

export { STATUS_ADDRESS } from "../plan/status_page.ts";

export const RECORD_BYTES = 88;
export const RECORD = {
  nr: 0,
  next: 4,
  zero: 8,
  caught: 12,
  save: 16,
  args: 24,
  errnos: 72,
  text: 84,
} as const;

export const STATUS = { record: 0, failed: 8, errno: 16, slots: 24, late: 4096 } as const;

/** Where the image is loaded: code at TEXT, program and data at DATA, the status page at STATUS. */
export const TEXT_ADDRESS = 0x400000;
export const DATA_ADDRESS = 0x600000;
