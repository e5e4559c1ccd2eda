/**
 * The C library: the only place with Deno.dlopen. Everything below `runtime/linux` that has a man page is called from here.
 *
 * A function symbol of Deno.dlopen compiles a trampoline when the library is opened, 0.2 to 0.6 ms each. A pointer static
 * costs nothing, and a few microseconds more at each call, of which one command makes some dozens.
 *
 * @module
 */
import { SyscallError, type SyscallErrorContext } from "../errors.ts";
import { ERRNO, ERRNO_TEXT, type ErrnoName } from "./generated/errno.ts";
import { type Cpu, type SyscallName, SYSCALLS } from "./generated/syscalls.ts";

/** The CPU that we run on. */
export const CPU: Cpu = Deno.build.arch;

const pointer = { type: "pointer" } as const;

let library: ReturnType<typeof open> | undefined;

function open() {
  const { symbols } = Deno.dlopen("libc.so.6", {
    syscall: pointer,
    __errno_location: pointer,
    posix_spawn: pointer,
    posix_spawn_file_actions_init: pointer,
    posix_spawn_file_actions_adddup2: pointer,
    posix_spawn_file_actions_addchdir_np: pointer,
    posix_spawn_file_actions_destroy: pointer,
    posix_spawnattr_init: pointer,
    posix_spawnattr_setflags: pointer,
    posix_spawnattr_setsigdefault: pointer,
    posix_spawnattr_setsigmask: pointer,
    posix_spawnattr_destroy: pointer,
  });
  // syscall(3) is variadic, which makes no difference to whole numbers on the CPUs we know. No call of ours returns more
  // than 32 bits.
  const signature = { parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], result: "i32" } as const;
  const errnoLocation = bind(symbols.__errno_location!, { parameters: [], result: "pointer" });
  return {
    symbols,
    syscall: bind(symbols.syscall!, signature),
    syscallOnThread: bind(symbols.syscall!, { ...signature, nonblocking: true }),
    // The main thread's: it stays where it is. As memory, for whatever V8 or Deno called between a call and a function that
    // reads errno would have its own errno there.
    errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(errnoLocation.call()!, 4)),
  };
}

/** Gives a function of the library its signature. */
export function bind<const F extends Deno.ForeignFunction>(pointer: Deno.PointerObject, signature: F) {
  // The types of Deno tie a pointer to its signature; one from Deno.dlopen has none yet.
  // deno-lint-ignore no-explicit-any
  return new Deno.UnsafeFnPointer<F>(pointer as any, signature);
}

/** The functions of the library that are no system calls. */
export function libc() {
  return library ??= open();
}

/** What a call takes: a number, or memory that it reads or writes. */
export type Word = number | bigint | Uint8Array<ArrayBuffer>;

/** The last call. The memory that the kernel was given must not be collected while it is in use. */
const last: { args: readonly Word[] } = { args: [] };

/**
 * Makes a system call.
 *
 * @param context named in the error
 * @throws {SyscallError} with the errno
 */
export function syscall(name: SyscallName, args: readonly Word[], context: SyscallErrorContext = {}): number {
  const result = trySyscall(name, args);
  if (result < 0) throw new SyscallError(name, errnoInfo(-result), context);
  return result;
}

/** Makes a system call. @returns its result, or the errno as a negative number */
export function trySyscall(name: SyscallName, args: readonly Word[]): number {
  const library = libc();
  const result = library.syscall.call(...words(name, args));
  return result === -1 ? -library.errno[0]! : result;
}

/** The same for calls on other threads. */
const pending = new Set<readonly Word[]>();

/**
 * Makes a system call that may block, on another thread.
 *
 * @returns its result, or -1: errno is the other thread's and lost
 */
export async function syscallOnThread(name: SyscallName, args: readonly Word[]): Promise<number> {
  pending.add(args);
  try {
    return await libc().syscallOnThread.call(...words(name, args));
  } finally {
    pending.delete(args);
  }
}

function words(name: SyscallName, args: readonly Word[]) {
  last.args = args;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  return [BigInt(SYSCALLS[CPU][name]), word(a), word(b), word(c), word(d), word(e), word(f)] as const;
}

/** The value of an argument in a register. */
export function word(argument: Word): bigint {
  return argument instanceof Uint8Array ? address(argument) : BigInt(argument);
}

/** The name and the text of an errno. */
export function errnoInfo(number: number): { name: string; number: number; text: string } {
  const name = Object.entries(ERRNO).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
  return { name, number, text: ERRNO_TEXT[number] ?? "unknown error" };
}

/** Whether `error` is a failed system call with one of these errnos. */
export function isErrno(error: unknown, ...names: readonly ErrnoName[]): error is SyscallError {
  return error instanceof SyscallError && (names as readonly string[]).includes(error.errno.name);
}

/** The address of `bytes`, which must stay referenced as long as the kernel uses it. */
export function address(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** `text` with a NUL behind it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
