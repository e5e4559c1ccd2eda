/**
 * A plan as bytes: records for the stub, and the constants, strings and structures that they point to. The only file that
 * knows addresses.
 *
 * ```
 *   DATA_ADDRESS   records
 *                  constants: every argument is loaded from an address, so each number has a place too
 *                  blobs: strings, structures, pointer arrays
 * ```
 *
 * It runs at every start, and before V8 has optimised anything: one pass, loops and typed arrays.
 *
 * @module
 */
import { CLONE_INTO_CGROUP, CLONE_PARENT_SETTID, SIGCHLD } from "../linux/generated/constants.ts";
import { ERRNO } from "../linux/generated/errno.ts";
import { type Cpu, SYSCALLS } from "../linux/generated/syscalls.ts";
import { acceptRuntime } from "../plan/inherited.ts";
import {
  type Arg,
  type Barrier,
  type Fork,
  type Node,
  type Plan,
  slot,
  type SlotName,
  type Step,
  step,
} from "../plan/node.ts";
import { Pool } from "./pool.ts";
import { DATA_ADDRESS, RECORD, RECORD_BYTES, STATUS, STATUS_ADDRESS } from "./record.ts";

/** What the stub runs, and the way back from an address to a step. */
export interface Program {
  /** Loaded at DATA_ADDRESS. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** By record. */
  readonly steps: readonly Step[];
  /** Offsets into the status page. */
  readonly slots: ReadonlyMap<SlotName, number>;
}

/** Descriptors that the init finds open, by the names that plans have for them. */
export type InheritedFds = Readonly<Partial<Record<SlotName, number>>>;

/** Slots that lie elsewhere than in the status page: their addresses. */
export type PlacedSlots = Readonly<Partial<Record<SlotName, number>>>;

/** Where nothing follows: the stub exits with 0. */
const END = -1;

const RECORD_WORDS = RECORD_BYTES / 4;

/** Encodes `plan` for `cpu`. */
export function encode(plan: Plan, cpu: Cpu, inherited: InheritedFds, placed: PlacedSlots = {}): Program {
  const records = countRecords(plan);
  const steps: Step[] = new Array(records);
  const slots = new Map<SlotName, number>();
  const pool = new Pool(DATA_ADDRESS + records * RECORD_BYTES);
  const zero = pool.number(0);
  const words = blankRecords(records, zero);
  const numbers = SYSCALLS[cpu];
  const unused = slotAddress("$unused");

  emit(plan, 0, END);
  return { data: pool.joinedTo(words), steps, slots };

  /** Emits `nodes` from record `at` on; the last of them goes on at `after`. @returns the record behind them */
  function emit(nodes: readonly Node[], at: number, after: number): number {
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index]!;
      const end = at + recordsOf(node);
      emitNode(node, at, index === nodes.length - 1 ? after : end);
      at = end;
    }
    return at;
  }

  function emitNode(node: Node, at: number, after: number): void {
    switch (node.kind) {
      case "step":
        return record(node, at, after, after);
      case "fork": {
        // The parent is done at once. The child goes on, and stores its own result, 0, in shared memory: so it is the
        // kernel that stores the pid, before the child runs (clone(2), CLONE_PARENT_SETTID).
        const tried = forkStep(node, slotAddress(node.save));
        if (node.child === undefined) return record(tried, at, END, after);
        emit(node.child, at + 1, END);
        return record(tried, at, after, at + 1);
      }
      case "barrier": {
        const steps = expandBarrier(node);
        steps.forEach((step, index) => {
          const next = index === steps.length - 1 ? after : at + index + 1;
          // Nothing to read: the runtime has gone, and nobody would wait for us.
          record(step, at + index, next, step.call === "read" ? END : next);
        });
        return;
      }
      case "attempt": {
        const { then, otherwise, on } = node;
        const elsewhere = emit(then, at + 1, after);
        emit(otherwise, elsewhere, after);
        const success = then.length > 0 ? at + 1 : after;
        record(node.step, at, success, success);
        const caught = otherwise.length > 0 ? elsewhere : after;
        const base = at * RECORD_WORDS;
        words[base + RECORD.caught / 4] = offset(at, caught);
        for (let index = 0; index < on.length; index++) {
          words[base + RECORD.errnos / 4 + (index >> 1)]! |= ERRNO[on[index]!] << (16 * (index & 1));
        }
      }
    }
  }

  function record(step: Step, at: number, next: number, zeroNext: number): void {
    const { args, save } = step;
    const base = at * RECORD_WORDS;
    steps[at] = step;
    words[base + RECORD.nr / 4] = numbers[step.call];
    words[base + RECORD.next / 4] = offset(at, next);
    words[base + RECORD.zero / 4] = offset(at, zeroNext);
    words[base + RECORD.save / 4] = save === undefined ? unused : slotAddress(save);
    for (let index = 0; index < args.length; index++) {
      const arg = args[index]!;
      // The high words of addresses stay 0.
      if (arg !== 0) words[base + RECORD.args / 4 + 2 * index] = valueAddress(arg);
    }
  }

  function valueAddress(arg: Arg): number {
    if (typeof arg === "number" || typeof arg === "bigint") return pool.number(arg);
    if (arg === null) return zero;
    if (typeof arg === "string" || !("slot" in arg)) return pool.pointer(arg);
    const fd = inherited[arg.slot];
    return fd === undefined ? slotAddress(arg.slot) : pool.number(fd);
  }

  function slotAddress(name: SlotName): number {
    const address = placed[name];
    if (address !== undefined) return address;
    let at = slots.get(name);
    if (at === undefined) {
      at = STATUS.slots + 8 * slots.size;
      if (at >= STATUS.late) throw new Error(`a plan has room for ${(STATUS.late - STATUS.slots) / 8} slots`);
      slots.set(name, at);
    }
    return STATUS_ADDRESS + at;
  }
}

/** Records whose six arguments are all at `zero`. */
function blankRecords(count: number, zero: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(count * RECORD_WORDS);
  for (let index = 0; index < 6; index++) words[RECORD.args / 4 + 2 * index] = zero;
  // The first one is two, and they are four.
  for (let done = RECORD_WORDS; done < words.length; done *= 2) words.copyWithin(done, 0, done);
  return words;
}

/** @param pid the address that gets the child's pid */
function forkStep(fork: Fork, pid: number): Step {
  const flags = fork.flags | CLONE_PARENT_SETTID;
  if (fork.cgroup === undefined) return step(fork, "clone", [flags, 0, pid, 0, 0]);
  // The signal at its end is no flag here, and CLONE_PARENT has it be that of the parent.
  const members = { flags: (flags & ~SIGCHLD) + CLONE_INTO_CGROUP, parent_tid: pid, cgroup: fork.cgroup };
  return step(fork, "clone3", [{ struct: "clone_args", members }, CLONE_ARGS_BYTES]);
}

/** CLONE_ARGS_SIZE_VER2 */
const CLONE_ARGS_BYTES = 88;

function offset(from: number, to: number): number {
  return to === END ? 0 : (to - from) * RECORD_BYTES;
}

function countRecords(nodes: readonly Node[]): number {
  let count = 0;
  for (let index = 0; index < nodes.length; index++) count += recordsOf(nodes[index]!);
  return count;
}

function recordsOf(node: Node): number {
  if (node.kind === "attempt") return 1 + countRecords(node.then) + countRecords(node.otherwise);
  if (node.kind === "fork") return 1 + countRecords(node.child ?? []);
  return node.kind === "barrier" ? expandBarrier(node).length : 1;
}

/** Says the barrier's name, and waits for an answer or, at `start`, for another runtime. */
function expandBarrier(barrier: Barrier): Step[] {
  const socket = slot("$barrier");
  const say = step(barrier, "write", [socket, barrier.name, 1]);
  return barrier.name === "start"
    ? [say, ...acceptRuntime(barrier)]
    : [say, step(barrier, "read", [socket, { buffer: 1 }, 1])];
}
