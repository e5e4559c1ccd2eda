import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeMessage,
  encodeMessage,
  FIXED_BYTES,
  type Message,
  messageLength,
  METHOD_CALL,
  splitSignature,
} from "../../../cgroups/systemd/message.ts";

const hello: Message = {
  type: METHOD_CALL,
  serial: 1,
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
  member: "Hello",
};

/** What `dbus-send --system --dest=org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.Hello` writes. */
Deno.test("a message has the bytes of the specification", () => {
  const text = new TextDecoder("latin1").decode(encodeMessage(hello));
  assertEquals(
    text,
    "l\x01\x00\x01\x00\x00\x00\x00\x01\x00\x00\x00\x6d\x00\x00\x00" +
      "\x01\x01o\x00\x15\x00\x00\x00/org/freedesktop/DBus\x00\x00\x00" +
      "\x02\x01s\x00\x14\x00\x00\x00org.freedesktop.DBus\x00\x00\x00\x00" +
      "\x03\x01s\x00\x05\x00\x00\x00Hello\x00\x00\x00" +
      "\x06\x01s\x00\x14\x00\x00\x00org.freedesktop.DBus\x00\x00\x00\x00",
  );
});

const bodies: readonly [signature: string, body: Message["body"]][] = [
  ["", []],
  ["ybnqiuxtdsog", [200, true, -5, 5, -70000, 70000, -5n, 2n ** 64n - 1n, 1.5, "täxt", "/a/b", "a(sv)"]],
  ["as", [["a", "", "bcd"]]],
  ["at", [[]]],
  ["ya(yv)u", [1, [[2, { signature: "as", value: ["x"] }], [3, { signature: "t", value: 4n }]], 9]],
  ["ssa(sv)a(sa(sv))", ["unit", "replace", [["PIDs", { signature: "au", value: [7, 8] }]], []]],
  ["v", [{ signature: "(sv)", value: ["in", { signature: "b", value: false }] }]],
  ["aas", [[["a"], [], ["b", "c"]]]],
];

for (const [signature, body] of bodies) {
  Deno.test(`a body of the type "${signature}" is read as it was written`, () => {
    const bytes = encodeMessage({ ...hello, signature, body });
    assertEquals(messageLength(bytes.slice(0, FIXED_BYTES)), bytes.length);
    const { body: read, signature: found = "", member } = decodeMessage(bytes);
    assertEquals({ read, found, member }, { read: body, found: signature, member: "Hello" });
  });
}

Deno.test("bytes may be an array of bytes", () => {
  const bytes = encodeMessage({ ...hello, signature: "ay", body: [Uint8Array.of(1, 255)] });
  assertEquals(decodeMessage(bytes).body, [[1, 255]]);
});

Deno.test("a signature is split into complete types", () => {
  assertEquals(splitSignature("sa(sa{sv})aayu"), ["s", "a(sa{sv})", "aay", "u"]);
  for (const bad of ["a", "(s", "z", "s)"]) assertThrows(() => splitSignature(bad), RangeError);
});

Deno.test("what is no message, is cut off or too long is refused", () => {
  const bytes = encodeMessage({ ...hello, signature: "s", body: ["abc"] });
  assertThrows(() => messageLength(bytes.with(3, 2)), RangeError);
  assertThrows(() => messageLength(bytes.with(7, 0x7f)), RangeError);
  assertThrows(() => decodeMessage(bytes.slice(0, -4)), RangeError);
});
