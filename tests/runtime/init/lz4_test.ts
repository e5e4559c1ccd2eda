import { assert, assertEquals } from "@std/assert";
import { packLz4 } from "../../../runtime/init/lz4.ts";

/** By the words of the format. */
function unpack(packed: Uint8Array): Uint8Array {
  const out: number[] = [];
  let at = 0;
  const length = (half: number) => {
    let total = half;
    if (half === 15) {
      let byte: number;
      do total += byte = packed[at++]!; while (byte === 255);
    }
    return total;
  };
  for (;;) {
    const token = packed[at++]!;
    for (let rest = length(token >> 4); rest > 0; rest--) out.push(packed[at++]!);
    if (at >= packed.length) return new Uint8Array(out);
    const offset = packed[at]! | packed[at + 1]! << 8;
    at += 2;
    assert(offset > 0 && offset <= out.length, "a match begins before the block");
    for (let rest = length(token & 15) + 4; rest > 0; rest--) out.push(out[out.length - offset]!);
  }
}

const CASES: Readonly<Record<string, Uint8Array>> = {
  "one byte": Uint8Array.of(7),
  "nothing that repeats": Uint8Array.from({ length: 600 }, (_, index) => index * index * 7 >> 3),
  "zeros, which match themselves": new Uint8Array(100_000),
  "15 literals, and 16": new TextEncoder().encode("abcdefghijklmno".repeat(3) + "0123456789ABCDEF".repeat(3)),
  "matches of 18, 19 and 274 bytes": new TextEncoder().encode(
    [18, 19, 274].map((length) => "x".repeat(length + 1) + "yz").join(""),
  ),
  "a match too far away": (() => {
    const bytes = new Uint8Array(70_000).map((_, index) => (index * 2654435761) >>> 13);
    bytes.set(bytes.subarray(0, 100), 69_000);
    return bytes;
  })(),
};

for (const [name, bytes] of Object.entries(CASES)) {
  Deno.test(`lz4: ${name} comes back`, () => assertEquals(unpack(packLz4(bytes)), bytes));
}

Deno.test("lz4: records of one kind take a tenth", () => {
  const records = Uint8Array.from(
    { length: 8800 },
    (_, index) => index % 88 === 3 ? index / 88 : index % 88 % 7,
  );
  assert(packLz4(records).length < records.length / 10);
});
