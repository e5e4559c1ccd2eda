/**
 * A snapshot is an executable that goes on where another process stood still: here a Hako that has started and is about to
 * look at its arguments. So a command pays neither for the start of Deno and V8 nor for reading Hako's own code, nine tenths
 * of its time. What OpenJDK calls CRaC is the same for Java.
 *
 * ```
 *   take    start the process and wait until it stands still: runtime/linux/standstill.ts
 *           its registers, descriptors and memory -> a plan and an executable
 *   start   the kernel maps the executable, the stub runs the plan; its last call returns into the code of the process
 * ```
 *
 * What the kernel has of a process is made anew: descriptors, signal actions. What a process has of itself is as it was: its
 * addresses, the seeds of its hashes, what it has found out about the processor. So a snapshot is for one processor. Its
 * start asks for that, and goes to a program that needs no snapshot where it is another.
 *
 * @module
 */
import { O_CLOEXEC, O_RDWR, PROT_WRITE, SIGKILL } from "../linux/generated/constants.ts";
import { SYSCALLS } from "../linux/generated/syscalls.ts";
import { close, memfdCreate, openat2, pread } from "../linux/files.ts";
import { trySyscall } from "../linux/libc.ts";
import { endsWithin, pidfdOpen, posixSpawn, shellStatus, wait } from "../linux/processes.ts";
import { beforeExit, readRegisters, type Registers, whileStopped } from "../linux/ptrace.ts";
import type { OwnState } from "../linux/standstill.ts";
import { type Step, step } from "../plan/node.ts";
import { type Descriptor, readDescriptors } from "./descriptors.ts";
import { ADDRESSES, ANSWERS_BYTES, place, writeExecutable } from "./executable.ts";
import {
  areasOf,
  type Layout,
  layOut,
  ownPages,
  PAGE_BYTES,
  parseMaps,
  presentPages,
  readAt,
} from "./memory.ts";
import { isOtherwise, planResume, type Snapshot } from "./plan.ts";
import { replaceFunctions } from "./vdso.ts";

/** A process to be. It calls `standStill` when it is what the snapshot is to be. */
export interface Template {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/**
 * The first descriptor that the process has for itself. Callers leave theirs below: those that a container is to have begin
 * at 3, and RLIMIT_NOFILE is 1024 unless somebody has said otherwise.
 */
const FIRST_FD = 960;
/** How long a process may take until it stands still. */
const SECONDS = 60;

/**
 * Takes a snapshot of `template`, and writes it to `path`.
 *
 * @param options.otherwise the program that the snapshot executes where it cannot start
 * @param options.tried arguments of short runs: the first of them that succeeds shows what is written to
 * @throws {SyscallError} if we may not look into the process
 * @throws {Error} if it has what a snapshot cannot have
 */
export function takeSnapshot(
  template: Template,
  path: string,
  { otherwise, tried }: { readonly otherwise: string; readonly tried: readonly (readonly string[])[] },
): void {
  const answers = askProcessor(`${path}.processor`);
  const output = memfdCreate("hako-state");
  try {
    const pid = start(template, output);
    try {
      const state = waitForState(pid, output);
      whileStopped(pid, () => {
        using memory = Deno.openSync(`/proc/${pid}/mem`);
        const material = { memory, answers, otherwise, state, ...inspect(pid) };
        write(path, material, []);
        write(path, material, writtenBy(path, tried, output, material.layout));
      });
    } finally {
      end(pid);
    }
  } finally {
    close(output);
  }
}

/**
 * What of the contents the first run of the snapshot writes to that succeeds. Pages between two of them are taken for such.
 *
 * @throws {Error} if none does, or all leave it to another program
 */
function writtenBy(
  program: string,
  tried: readonly (readonly string[])[],
  output: number,
  layout: Layout,
): Snapshot["written"] {
  // The kernel puts the stack where it likes: once in 2000 times where the process has had its own.
  const tries = tried.flatMap((args) => [args, args, args]);
  for (const args of tries) {
    const areas = writtenByRun([program, ...args], output, layout);
    if (areas !== undefined) return areas;
  }
  throw new Error(`${program} cannot start, as where addresses are not random: kernel.randomize_va_space`);
}

function writtenByRun(args: readonly string[], output: number, { kept }: Layout) {
  // It waits until it is traced.
  const stopped = ["sh", "-c", 'kill -STOP $$ && exec "$0" "$@"', ...args];
  const fds = [1, 2].map((to) => ({ from: output, to }));
  const pid = posixSpawn({ path: "/bin/sh", args: stopped, env: [], fds });
  let areas: Snapshot["written"] | undefined;
  try {
    areas = beforeExit(pid, () => {
      if (Deno.statSync(`/proc/${pid}/exe`).ino !== Deno.statSync(args[0]!).ino) return undefined;
      const mappings = parseMaps(Deno.readTextFileSync(`/proc/${pid}/maps`));
      return mappings.filter(({ start, protection }) =>
        protection & PROT_WRITE && kept.some((area) => area.start <= start && start < area.end)
      ).flatMap((mapping) => areasOf(mapping.start, ownPages(pid, mapping), 2 * PAGE_BYTES));
    });
  } catch (error) {
    end(pid);
    throw error;
  }
  return shellStatus(wait(pid)) === 0 ? areas : undefined;
}

/** Kills a child of ours, and reaps it. */
function end(pid: number): void {
  trySyscall("kill", [pid, SIGKILL]);
  wait(pid);
}

function start({ program, args, env }: Template, output: number): number {
  const nothing = openat2(-1, "/dev/null", { flags: O_RDWR | O_CLOEXEC });
  try {
    const streams = [{ from: output, to: 1 }, { from: 2, to: 2 }];
    const filled = Array.from({ length: FIRST_FD }, (_, to) => ({ from: nothing, to }));
    // The streams come first: one of the other numbers may be that of `output`.
    const fds = [...streams, ...filled.filter(({ to }) => to !== 1 && to !== 2)];
    return posixSpawn({ path: program, args, env, fds });
  } finally {
    close(nothing);
  }
}

function waitForState(pid: number, output: number): OwnState {
  const pidfd = pidfdOpen(pid);
  try {
    for (let tries = 0; tries < SECONDS * 100; tries++) {
      if (endsWithin(pidfd, 10)) throw new Error("the process has ended before a snapshot was taken of it");
      const [line, rest] = new TextDecoder().decode(pread(output, 1 << 16, 0)).split("\n");
      if (rest === undefined) continue;
      // Those of tokio that have nothing to do end after ten seconds.
      const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].length;
      if (threads === 1 && whileStopped(pid, () => standsStill(pid))) return JSON.parse(line!);
    }
    throw new Error("the process does not stand still for a snapshot");
  } finally {
    close(pidfd);
  }
}

/** Whether a process that is stopped is in the call of `standStill`. */
function standsStill(pid: number): boolean {
  const { orig_rax, rdi, rdx } = readRegisters(pid);
  return orig_rax === BigInt(SYSCALLS.x86_64.ppoll) && rdi === 0n && rdx === 0n;
}

/** What others can see of a process that is stopped. */
interface Inspected {
  readonly registers: Registers;
  readonly descriptors: readonly Descriptor[];
  readonly layout: Layout;
  /** The pages of the vDSO. */
  readonly vdso: { readonly start: number; readonly end: number };
}

function inspect(pid: number): Inspected {
  const mappings = parseMaps(Deno.readTextFileSync(`/proc/${pid}/maps`));
  const layout = layOut(mappings, (mapping) => presentPages(pid, mapping));
  const vdso = mappings.find(({ name }) => name === "[vdso]") ?? { start: 0, end: 0 };
  return { registers: readRegisters(pid), descriptors: readDescriptors(pid, FIRST_FD), layout, vdso };
}

/** All that a snapshot is made of, but for what its start writes to. */
interface Material extends Inspected {
  readonly memory: Deno.FsFile;
  readonly state: OwnState;
  readonly answers: Uint8Array;
  readonly otherwise: string;
}

function write(path: string, material: Material, written: Snapshot["written"]): void {
  const { memory, registers, descriptors, layout, vdso, state, answers, otherwise } = material;
  const pieces = place(layout.kept);
  const { mask, pair } = ADDRESSES;
  const plan = planResume({
    pieces,
    empty: layout.empty,
    written,
    descriptors,
    state,
    mask,
    pair,
    otherwise,
  });
  const signalStack = Uint8Array.fromHex(state.signalStack);
  const read = (address: number, count: number) => {
    const bytes = new Uint8Array(count);
    readAt(memory, address, bytes);
    if (address === vdso.start) replaceFunctions(bytes);
    return bytes;
  };
  const start = { plan, isOtherwise, answers, frame: { registers, signalStack } };
  writeExecutable(path, start, { pieces, read });
}

/** What this processor answers to LEAVES, by an executable that prints it. */
function askProcessor(path: string): Uint8Array {
  const reason = { label: "print what the processor answers", pointer: "runtime" } as const;
  const plan = [
    step(reason, "write", [1, ADDRESSES.answers, ANSWERS_BYTES]),
    step(reason, "exit_group", [0]),
  ];
  const output = memfdCreate("hako-processor");
  try {
    // It begins with the first step, whatever the processor answers.
    const start = {
      plan,
      isOtherwise: (step: Step) => step === plan[0],
      answers: new Uint8Array(ANSWERS_BYTES),
    };
    writeExecutable(path, start, { pieces: [], read: () => new Uint8Array() });
    const status = wait(posixSpawn({ path, args: [path], env: [], fds: [{ from: output, to: 1 }] }));
    if (shellStatus(status) !== 0) throw new Error(`${path} ends with ${shellStatus(status)}`);
    return pread(output, ANSWERS_BYTES, 0);
  } finally {
    close(output);
    Deno.removeSync(path);
  }
}
