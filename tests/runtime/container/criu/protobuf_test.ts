import { assertEquals, assertThrows } from "@std/assert";
import { REQUEST, RESPONSE } from "../../../../runtime/container/criu/messages.ts";
import { decode, encode, type Message } from "../../../../runtime/container/criu/protobuf.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

// As Python's protobuf writes them, with CRIU's rpc.proto.
Deno.test("a request is encoded as by protobuf's own libraries", () => {
  assertEquals(hex(encode(REQUEST, { type: 10, keep_open: true })), "080a2001");
  assertEquals(
    hex(encode(REQUEST, {
      type: 1,
      opts: {
        images_dir_fd: 300,
        leave_running: false,
        root: "/é",
        ext_mnt: [{ key: "a", val: "b" }],
        external: ["x", "y"],
      },
    })),
    "0801" + "121b" + "08ac02" + "1800" + "6a032fc3a9" + "ba0106" + "0a01611201" + "62" + "aa020178" +
      "aa020179",
  );
  assertEquals(
    hex(encode(REQUEST, { type: 1, opts: { images_dir_fd: -1 } })),
    "0801120b08ffffffffffffffffff01",
  );
});

Deno.test("a response is decoded, with what is not known left out", () => {
  // type NOTIFY, success, notify { script, pid }, and fields 100 of each wire type.
  const response = "0806" + "1001" + "2a09" + "0a04" + "706f7374" + "10ac02" + "a00601" +
    "a1060000000000000000" +
    "a2060178" + "a50600000000";
  assertEquals(decode(RESPONSE, bytes(response)), {
    type: 6,
    success: true,
    notify: { script: "post", pid: 300 },
  });
  assertEquals(decode(RESPONSE, bytes("38ffffffffffffffffff01")), { cr_errno: -1 });
});

Deno.test("what is encoded is decoded", () => {
  const inner = { text: { id: 1, type: "text" }, list: { id: 2, type: "number", repeated: true } } as const;
  const outer = {
    a: { id: 20, type: inner, repeated: true },
    b: { id: 3, type: "flag" },
  } as const satisfies Message;
  const value = { a: [{ text: "", list: [0, -1, 2 ** 31 - 1] }, {}], b: false };
  assertEquals(decode(outer, encode(outer, value)), value);
});

Deno.test("what is no message is refused", () => {
  for (const text of ["08", "2a05", "0a00", "2b", "2affffffff0f", "a106", "08ffffff"]) {
    assertThrows(() => decode(RESPONSE, bytes(text)), RangeError, undefined, text);
  }
});
