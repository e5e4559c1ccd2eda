import { assertEquals, assertThrows } from "@std/assert";
import { endpoints } from "../../../cgroups/systemd/address.ts";
import { annotatedProperties } from "../../../cgroups/systemd/annotations.ts";
import { parseVariant } from "../../../cgroups/systemd/gvariant.ts";
import { expandSlice, parseUnitName } from "../../../cgroups/systemd/unit.ts";
import { ConfigError, UsageError } from "../../../runtime/errors.ts";

const system = { id: "web", user: false };

Deno.test("cgroupsPath names a scope and its slice", () => {
  const name = (path: string, user = false) => parseUnitName(path, { id: "web", user });
  assertEquals(name("machine.slice:libpod:abc"), { slice: "machine.slice", scope: "libpod-abc.scope" });
  assertEquals(name(":docker:abc"), { slice: "system.slice", scope: "docker-abc.scope" });
  assertEquals(name("::abc"), { slice: "system.slice", scope: "abc.scope" });
  assertEquals(name("", true), { slice: "user.slice", scope: "hako-web.scope" });
});

for (
  const path of [
    "/docker/abc",
    "a:b",
    "a:b:c:d",
    "s.slice:p:",
    "s.slice:p:pod.slice",
    "s.slice:p:a/../b",
    "s.slice:p:a b",
  ]
) {
  Deno.test(`cgroupsPath "${path}" is refused`, () => {
    assertThrows(() => parseUnitName(path, system), ConfigError);
  });
}

Deno.test("a slice is in those that its name begins with", () => {
  assertEquals(expandSlice("system.slice"), "/system.slice");
  assertEquals(expandSlice("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  assertEquals(expandSlice("-.slice"), "");
  for (const bad of ["", ".slice", "a", "-a.slice", "a-.slice", "a--b.slice", "../x.slice", "a/b.slice"]) {
    assertThrows(() => expandSlice(bad), ConfigError, "invalid slice name");
  }
});

const variants: readonly [text: string, signature: string, value: unknown][] = [
  ["true", "b", true],
  ["5", "i", 5n],
  [" -5 ", "i", -5n],
  ["uint64 5", "t", 5n],
  ["@t 5", "t", 5n],
  ["int16 -3", "n", -3n],
  ["byte 0x1f", "y", 31n],
  ["1.5", "d", 1.5],
  ["double 2", "d", 2],
  ["'it\\'s'", "s", "it's"],
  ['"a\\nb\\u0041"', "s", "a\nbA"],
  ["objectpath '/a'", "o", "/a"],
  ["['a', 'b',]", "as", ["a", "b"]],
  ["@as []", "as", []],
  ["[uint32 1, 2]", "!", undefined],
  ["@au [1, 2]", "au", [1n, 2n]],
  ["('a', true)", "(sb)", ["a", true]],
  ["[('a', uint64 1)]", "a(st)", [["a", 1n]]],
  ["<'x'>", "v", { signature: "s", value: "x" }],
];

for (const [text, signature, value] of variants) {
  Deno.test(`the text ${text} is ${signature === "!" ? "refused" : `a value of the type ${signature}`}`, () => {
    if (signature === "!") assertThrows(() => parseVariant(text), RangeError);
    else assertEquals(parseVariant(text) as unknown, { signature, value });
  });
}

for (
  const text of [
    "",
    "[]",
    "[1, 'a']",
    "uint64 -1",
    "byte 256",
    "2147483648",
    "nonsense",
    "'open",
    "1 2",
    "uint64 'a'",
    "[1",
    "(1",
    "@t",
    "@t @s 5",
    "[()]",
    "<()>",
    "@a() []",
    "(@sog 'x',)",
    `(${"1,".repeat(300)})`,
  ]
) {
  Deno.test(`the text ${JSON.stringify(text)} is no value`, () => {
    assertThrows(() => parseVariant(text), RangeError);
  });
}

Deno.test("annotations are properties, seconds among them microseconds", () => {
  assertEquals(
    annotatedProperties({
      "org.systemd.property.TimeoutStopSec": "uint64 90",
      "org.systemd.property.JobTimeoutSec": "1.5",
      "org.systemd.property.CollectMode": "'inactive-or-failed'",
      "org.systemd.property.Empty": "",
      "org.example": "5",
    }),
    [
      ["TimeoutStopUSec", { signature: "t", value: 90_000_000n }],
      ["JobTimeoutUSec", { signature: "t", value: 1_500_000n }],
      ["CollectMode", { signature: "s", value: "inactive-or-failed" }],
    ],
  );
});

Deno.test("annotations that are no properties are refused by name", () => {
  for (
    const [key, value] of [["A1b", "1"], ["", "1"], ["Name.x", "1"], ["TimeoutStopSec", "'x'"], [
      "After",
      "[1,",
    ]]
  ) {
    const error = assertThrows(
      () => annotatedProperties({ [`org.systemd.property.${key}`]: value! }),
      ConfigError,
    );
    assertEquals((error as ConfigError).pointer, `/annotations/org.systemd.property.${key}`);
  }
});

Deno.test("systemd is looked for where the environment says, then where it usually is", () => {
  const paths = (kind: "system" | "user", environment = {}) =>
    endpoints(kind, environment, 1000).map(({ path, direct }) => path + (direct ? " direct" : ""));
  assertEquals(paths("system"), ["/run/systemd/private direct", "/run/dbus/system_bus_socket"]);
  assertEquals(paths("system", { DBUS_SYSTEM_BUS_ADDRESS: "unix:guid=1,path=/a%20b" })[0], "/a b");
  assertEquals(paths("user"), ["/run/user/1000/bus", "/run/user/1000/systemd/private direct"]);
  assertEquals(
    paths("user", { DBUS_SESSION_BUS_ADDRESS: "tcp:host=x;unix:path=/x,guid=2", XDG_RUNTIME_DIR: "/r" }),
    ["/x", "/r/bus", "/r/systemd/private direct"],
  );
  assertThrows(() => paths("user", { DBUS_SESSION_BUS_ADDRESS: "autolaunch:" }), UsageError, "must be as");
});
