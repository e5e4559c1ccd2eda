/** What every program of an init has to be. @module */
import { assert, assertEquals } from "@std/assert";
import type { Program } from "../../runtime/init/encode.ts";
import { DATA_ADDRESS, RECORD, RECORD_BYTES, STATUS_ADDRESS } from "../../runtime/init/record.ts";
import { STATUS_BYTES } from "../../runtime/plan/status_page.ts";

/** Jumps stay within the records; arguments and results lie in memory that the image has. */
export function checkProgram({ data, steps }: Program): void {
  const view = new DataView(data.buffer);
  const word = (offset: number) => Number(view.getBigUint64(offset, true));
  const within = (address: number, start: number, length: number) =>
    address >= start && address + 8 <= start + length;
  assertEquals(view.byteOffset, 0);
  for (let at = 0; at < steps.length * RECORD_BYTES; at += RECORD_BYTES) {
    for (const field of ["next", "zero", "caught"] as const) {
      const to = at + view.getUint32(at + RECORD[field], true);
      assert(
        to % RECORD_BYTES === 0 && to < steps.length * RECORD_BYTES,
        `record ${at / RECORD_BYTES}: ${field}`,
      );
    }
    assert(within(word(at + RECORD.save), STATUS_ADDRESS, STATUS_BYTES), `record ${at / RECORD_BYTES}: save`);
    for (let index = 0; index < 6; index++) {
      const address = word(at + RECORD.args + 8 * index);
      assert(
        within(address, DATA_ADDRESS, data.length) || within(address, STATUS_ADDRESS, STATUS_BYTES),
        `record ${at / RECORD_BYTES}: argument ${index}`,
      );
    }
  }
}
