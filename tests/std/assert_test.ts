import {
  assert,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  AssertionError,
  assertIsError,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
  unreachable,
} from "@std/assert";

const NEVER = () => {};

Deno.test("every assertion lets the right thing pass", async () => {
  assert(1);
  assertFalse(0);
  assertEquals({ a: [1, new Uint8Array([2])] }, { a: [1, new Uint8Array([2])] });
  assertNotEquals<unknown>({ a: 1 }, { a: 1, b: undefined });
  assertStrictEquals(NaN, NaN);
  assertExists("");
  assertStringIncludes("container", "tain");
  assertMatch("hako", /^h/);
  assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]);
  assertGreater(2, 1);
  assertLessOrEqual(2n, 2n);
  assertIsError(new TypeError("x is y"), TypeError, /is y$/);
  const thrown = assertThrows(() => JSON.parse("{"), SyntaxError, "JSON");
  assertEquals(thrown.name, "SyntaxError");
  await assertRejects(() => Promise.reject(new TypeError("no")), TypeError, "no");
});

const failing: Record<string, () => unknown> = {
  assert: () => assert(""),
  assertFalse: () => assertFalse(1),
  assertEquals: () => assertEquals<unknown>({ a: 1 }, { a: "1" }),
  assertNotEquals: () => assertNotEquals([1], [1]),
  assertStrictEquals: () => assertStrictEquals({}, {}),
  assertExists: () => assertExists(null),
  assertStringIncludes: () => assertStringIncludes("a", "b"),
  assertMatch: () => assertMatch("a", /b/),
  assertArrayIncludes: () => assertArrayIncludes([1], [1, 2]),
  assertGreater: () => assertGreater(1, 1),
  assertLessOrEqual: () => assertLessOrEqual(2, 1),
  assertIsError: () => assertIsError("text"),
  "assertThrows, nothing thrown": () => assertThrows(NEVER),
  "assertThrows, wrong class": () => assertThrows(() => JSON.parse("{"), TypeError),
  "assertThrows, wrong text": () => assertThrows(() => JSON.parse("{"), SyntaxError, "XML"),
  fail,
  unreachable,
};

for (const [name, assertion] of Object.entries(failing)) {
  Deno.test(`${name} fails with an AssertionError`, () => {
    try {
      assertion();
    } catch (error) {
      if (error instanceof AssertionError) return;
      throw error;
    }
    throw new Error("did not fail");
  });
}

Deno.test("assertRejects fails when nothing is rejected, or something else", async () => {
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError, "to reject");
  await assertRejects(
    () => assertRejects(() => Promise.reject(new TypeError("no")), RangeError),
    AssertionError,
    "Expected RangeError",
  );
});

Deno.test("assertEquals shows the line that differs, and the caller's words", () => {
  const { message } = assertThrows(
    () => assertEquals("one\ntwo\nthree\n", "one\n2\nthree\n", "the plan"),
    AssertionError,
    "the plan",
  );
  assertMatch(message, /^[+-] +'two',?$/m);
  assertMatch(message, /^ +'one',$/m);
});
