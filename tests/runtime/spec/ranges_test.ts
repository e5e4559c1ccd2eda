import { assertEquals } from "@std/assert";
import { parseRanges } from "../../../runtime/spec/ranges.ts";

Deno.test("parseRanges reads lists of CPUs", () => {
  assertEquals(parseRanges("0-3,7"), [[0, 3], [7, 7]]);
  assertEquals(parseRanges(" 1 , 2-4,,"), [[1, 1], [2, 4]]);
  assertEquals(parseRanges(""), []);
  assertEquals(parseRanges("65536"), [[65536, 65536]]);
});

Deno.test("parseRanges refuses what is none", () => {
  for (const text of ["a", "1-", "-1", "3-1", "1-2-3", "1 2", "0x1", "65537", "99999999999999999999"]) {
    assertEquals(parseRanges(text), undefined, text);
  }
});
