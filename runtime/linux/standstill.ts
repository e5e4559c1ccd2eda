/**
 * The process that a snapshot is taken of: it waits, and goes on in another process that has been given its memory, its
 * registers and its descriptors, and for which everything else is new. `runtime/snapshot` takes the snapshot.
 *
 * @module
 */
import { SYSCALLS } from "./generated/syscalls.ts";
import { bind, CPU, syscall } from "./libc.ts";
import { KERNEL_ACTION_BYTES, KERNEL_SIGSET_BYTES } from "./processes.ts";

/** What only the process itself can say of itself. */
export interface OwnState {
  /** stack_t of sigaltstack(2), in hexadecimal, as the others. */
  readonly signalStack: string;
  /** struct sigaction of the kernel for each signal that is handled or ignored. */
  readonly signalActions: readonly { readonly signal: number; readonly action: string }[];
  /** Where the thread's list of robust futexes is, and how long its head: set_robust_list(2). */
  readonly robustList: { readonly address: number; readonly bytes: number };
}

/** asm/signal.h: sizeof(stack_t), and _NSIG */
const STACK_BYTES = 24;
const LAST_SIGNAL = 64;

let resumed = false;

/** Whether this process has not started by itself, but goes on where another one stood still. */
export function isResumed(): boolean {
  return resumed;
}

/** Where glibc keeps a thread's id behind what pthread_self(3) returns: struct pthread of nptl/descr.h, on x86-64. */
const THREAD_ID = 0x2d0;

/**
 * Says on stdout, in one line of JSON, what {@linkcode OwnState} has, and stands still. It returns in another process: then
 * `Deno.args`, `Deno.pid` and the environment are those of that one.
 */
export function standStill(): void {
  const { symbols } = Deno.dlopen("libc.so.6", {
    environ: { type: "pointer" },
    pthread_self: { type: "pointer" },
    syscall: { type: "pointer" },
  });
  const self = bind(symbols.pthread_self!, { parameters: [], result: "pointer" }).call()!;
  const id = new DataView(Deno.UnsafePointerView.getArrayBuffer(self, 4, THREAD_ID));
  const before = syscall("getpid", []);
  const state = new TextEncoder().encode(`${JSON.stringify(ownState())}\n`);
  syscall("write", [1, state, state.length]);
  // Without a descriptor, a time and a set of signals it waits for ever. In the other process it has a result: where the
  // kernel has put argc, argv, NULL, the environment and NULL.
  const signature = { parameters: ["i64", "i64", "i64", "i64", "i64", "i64"], result: "i64" } as const;
  const stack = bind(symbols.syscall!, signature).call(BigInt(SYSCALLS[CPU].ppoll), 0n, 0n, 0n, 0n, 0n);

  resumed = true;
  const pid = syscall("getpid", []);
  // Locks that one thread may take twice know it by this.
  if (id.getInt32(0, true) === before) id.setInt32(0, pid, true);
  const memory = new Deno.UnsafePointerView(Deno.UnsafePointer.create(stack)!);
  const args = Array.from(
    { length: memory.getInt32() },
    (_, index) => text(memory.getPointer(8 + 8 * index)!),
  );
  // environ(7): getenv(3) and Rust's std::env look there at each call.
  const environ = new DataView(Deno.UnsafePointerView.getArrayBuffer(symbols.environ!, 8));
  environ.setBigUint64(0, stack + BigInt(8 * (args.length + 2)), true);
  // Deno has them from its start.
  Object.defineProperties(Deno, { args: { value: args.slice(1) }, pid: { value: pid } });
}

/** A C string. What is not UTF-8 is replaced, as everywhere in Deno. */
function text(pointer: Deno.PointerObject): string {
  try {
    return Deno.UnsafePointerView.getCString(pointer);
  } catch {
    const memory = new Deno.UnsafePointerView(pointer);
    let length = 0;
    while (memory.getUint8(length) !== 0) length++;
    return new TextDecoder().decode(memory.getArrayBuffer(length));
  }
}

function ownState(): OwnState {
  const signalStack = new Uint8Array(STACK_BYTES);
  syscall("sigaltstack", [0, signalStack]);
  const list = new BigUint64Array(2);
  syscall("get_robust_list", [0, new Uint8Array(list.buffer, 0, 8), new Uint8Array(list.buffer, 8, 8)]);
  const robustList = { address: Number(list[0]), bytes: Number(list[1]) };
  const signalActions = [];
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    const action = new Uint8Array(KERNEL_ACTION_BYTES);
    syscall("rt_sigaction", [signal, 0, action, KERNEL_SIGSET_BYTES]);
    if (new BigUint64Array(action.buffer)[0] !== 0n) signalActions.push({ signal, action: action.toHex() });
  }
  return { signalStack: signalStack.toHex(), signalActions, robustList };
}
