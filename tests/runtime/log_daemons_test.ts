import { assertEquals } from "@std/assert";
import { LEVELS } from "../../runtime/log.ts";
import { journalRecord, syslogRecord } from "../../runtime/log_daemons.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("syslog: facility user, local time with the day padded by a space", () => {
  const time = new Date(2026, 10, 8, 4, 5, 6);
  assertEquals(
    LEVELS.map((level) => decode(syslogRecord(level, "a: b", "box", time))),
    ["<15>Nov  8 04:05:06 box: a: b", "<12>Nov  8 04:05:06 box: a: b", "<11>Nov  8 04:05:06 box: a: b"],
  );
  assertEquals(decode(syslogRecord("error", "", "box", new Date(2026, 0, 28))), "<11>Jan 28 00:00:00 box: ");
});

Deno.test("journald: each value behind its length in bytes, so that it may have line breaks", () => {
  const length = (bytes: number) => `${String.fromCharCode(bytes)}\0\0\0\0\0\0\0`;
  assertEquals(
    decode(journalRecord("warning", "é\nPRIORITY=0", "box")),
    `MESSAGE\n${length(13)}é\nPRIORITY=0\nPRIORITY\n${length(1)}4\nSYSLOG_IDENTIFIER\n${length(3)}box\n`,
  );
});
