import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { parseExact, stringify } from "../../../runtime/spec/json.ts";
import { parseConfig } from "../../../runtime/spec/parse.ts";
import { changedConfig } from "./cases.ts";

Deno.test("64-bit integers keep their value", () => {
  const text = stringify(changedConfig({
    "/process/rlimits": [{ type: "RLIMIT_NOFILE", soft: 1024, hard: 18446744073709551615n }],
    "/linux/resources/memory": { limit: 9223372036854771712n, swap: -1, reservation: -9223372036854775808n },
    "/linux/seccomp": {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{
        names: ["read"],
        action: "SCMP_ACT_ERRNO",
        args: [{ index: 0, op: "SCMP_CMP_EQ", value: 9007199254740993n, valueTwo: 9007199254740991 }],
      }],
    },
  }));
  const { process, linux } = parseConfig(text);
  assertEquals(process?.rlimits?.[0]?.hard, 18446744073709551615n);
  assertEquals(process?.rlimits?.[0]?.soft, 1024);
  assertEquals(linux?.resources?.memory?.limit, 9223372036854771712n);
  assertEquals(linux?.resources?.memory?.reservation, -9223372036854775808n);
  assertEquals(linux?.resources?.memory?.swap, -1);
  const arg = linux?.seccomp?.syscalls?.[0]?.args?.[0];
  assertEquals(arg?.value, 9007199254740993n);
  assertEquals(arg?.valueTwo, 9007199254740991);
});

Deno.test("an integer that is too big is shown exactly", () => {
  const text = JSON.stringify(changedConfig({})).replace('"uid":0', '"uid":12345678901234567890');
  const error = assertThrows(() => parseConfig(text), ConfigError);
  assertStringIncludes(error.message, "must be an integer from 0 to 4294967294, not 12345678901234567890");
  assertEquals(error.pointer, "/process/user/uid");
});

Deno.test("numbers that are not integers are refused", () => {
  for (const number of ["1.5", "1e30", "1e400", "12345678901234567890.5"]) {
    const text = JSON.stringify(changedConfig({})).replace('"uid":0', `"uid":${number}`);
    const error = assertThrows(
      () => parseConfig(text),
      ConfigError,
      "must be an integer from 0 to 4294967294",
    );
    assertEquals(error.pointer, "/process/user/uid");
  }
});

Deno.test("parseExact leaves other values and strings of digits alone", () => {
  const text = '{"a":[1,-1.5,9007199254740991,1e21,"12345678901234567890",null,true]}';
  assertEquals(parseExact(text), JSON.parse(text));
  assertEquals(parseExact("-9007199254740992"), -9007199254740992n);
});

Deno.test("stringify writes what parseExact read", () => {
  const text = '{\n\t"a": 18446744073709551615,\n\t"b": [\n\t\t1\n\t]\n}';
  assertEquals(stringify(parseExact(text), "\t"), text);
});

const SYNTAX_ERRORS: readonly [text: string, place: string][] = [
  ["", "(line 1 column 1)"],
  ["{", "(line 1 column 2)"],
  ['{"a": x}', "(line 1 column 7)"],
  ['{\n  "a": [1,\n    ]\n}', "(line 3 column 5)"],
  ['{"a": 1,}', "(line 1 column 9)"],
  ['{"a": tru}', "(line 1 column 10)"],
  ["undefined", "(line 1 column 1)"],
  ['{"a": "b\n"}', "(line 1 column 9)"],
  ["{} {}", "(line 1 column 4)"],
  [`[${"1,\n".repeat(5000)}x, 1]`, "(line 5001 column 1)"],
];

Deno.test("a syntax error has its place", () => {
  for (const [text, place] of SYNTAX_ERRORS) {
    const error = assertThrows(() => parseConfig(text), ConfigError, "must be JSON: ");
    assertEquals(error.pointer, "");
    assertEquals(error.message.includes("\n"), false, error.message);
    assert(error.message.endsWith(place), `${error.message}, for ${text.slice(0, 40)}`);
  }
});
