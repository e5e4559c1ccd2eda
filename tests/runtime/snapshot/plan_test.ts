import { assert, assertEquals } from "@std/assert";
import { encode } from "../../../runtime/init/encode.ts";
import { RECORD, RECORD_BYTES } from "../../../runtime/init/record.ts";
import {
  O_CLOEXEC,
  O_NONBLOCK,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../../runtime/linux/generated/constants.ts";
import { formatPlan } from "../../../runtime/plan/format.ts";
import { planResume, type Snapshot } from "../../../runtime/snapshot/plan.ts";

const SNAPSHOT: Snapshot = {
  pieces: [{ start: 0x10000, end: 0x12000, protection: PROT_READ | PROT_WRITE, offset: 0x2000 }],
  empty: [
    { start: 0x20000, end: 0x30000, protection: PROT_READ | PROT_WRITE },
    { start: 0x40000, end: 0x50000, protection: PROT_NONE },
  ],
  written: [{ start: 0x10000, end: 0x11000 }],
  descriptors: [
    { fd: 960, flags: O_CLOEXEC, kind: "epoll", watched: [{ fd: 961, events: 0x80002019, data: 7n }] },
    { fd: 961, flags: O_CLOEXEC | O_NONBLOCK, kind: "eventfd", count: 3 },
    { fd: 962, flags: O_CLOEXEC, kind: "copy", of: 960 },
    { fd: 963, flags: O_CLOEXEC | O_NONBLOCK, kind: "socket", isFirst: true },
    { fd: 964, flags: O_CLOEXEC | O_NONBLOCK, kind: "socket", isFirst: false },
    { fd: 965, flags: O_CLOEXEC, kind: "copy", of: 1 },
  ],
  state: {
    signalStack: "00".repeat(24),
    signalActions: [{ signal: 13, action: "01".padEnd(64, "0") }],
    robustList: { address: 0x7000_0000_0000, bytes: 24 },
  },
  mask: 0x800300,
  pair: 0x800010,
  otherwise: "/dist/hako.js",
};

Deno.test("a snapshot starts with its memory, its descriptors and its signals, and goes on", () => {
  const calls = formatPlan(planResume(SNAPSHOT)).split("\n")
    .flatMap((line) => /^ +\d+ +(\w+\(.*)$/.exec(line)?.[1] ?? []);
  assertEquals(calls.map((call) => call.slice(0, call.indexOf("("))), [
    ...SNAPSHOT.descriptors.map(() => "fcntl"),
    ...["fcntl", "fcntl", "fcntl", "openat", "mmap", "close", "mmap", "mmap", "madvise"],
    ...["epoll_create1", "dup3", "close", "eventfd2", "dup3", "close", "dup3"],
    ...["socketpair", "dup3", "close", "dup3", "close", "dup3", "epoll_ctl"],
    ...["rt_sigaction", "rt_sigaction", "rt_sigprocmask", "set_robust_list", "rt_sigreturn"],
    ...["execve", "write", "exit_group"],
  ]);
});

Deno.test("whatever fails, the program that needs no snapshot is executed", () => {
  const { data, steps } = encode(planResume(SNAPSHOT), "x86_64", {});
  const view = new DataView(data.buffer);
  const follow = (record: number, member: "next" | "zero" | "caught") =>
    record + view.getUint32(record * RECORD_BYTES + RECORD[member], true) / RECORD_BYTES;
  const last = steps.findIndex(({ call }) => call === "rt_sigreturn");
  const otherwise = steps.findIndex(({ call }) => call === "execve");
  assert(last > 0 && otherwise > last);
  // Those that it opens have to be free.
  const free = SNAPSHOT.descriptors.length;
  for (let record = 0; record < free; record++) {
    assertEquals(follow(record, "next"), otherwise);
    assertEquals(follow(record, "zero"), otherwise);
    assertEquals(follow(record, "caught"), record + 1);
  }
  for (let record = free; record < last; record++) {
    assertEquals(follow(record, "next"), record + 1);
    assertEquals(follow(record, "zero"), record + 1);
    assertEquals(follow(record, "caught"), otherwise, steps[record]!.call);
  }
});
