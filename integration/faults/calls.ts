/**
 * All that the runtime asks of the system, counted and made to fail: its system calls in the table that `runtime/linux`
 * holds the C library in, and Deno's file functions in the namespace that everybody has them from. So what ships has no
 * hook for this, and pays nothing.
 *
 * @module
 */
import { PTRACE_DETACH } from "../../runtime/linux/generated/constants.ts";
import { ERRNO, ERRNO_TEXT, type ErrnoName } from "../../runtime/linux/generated/errno.ts";
import { type SyscallName, SYSCALLS } from "../../runtime/linux/generated/syscalls.ts";
import { CPU, libc } from "../../runtime/linux/libc.ts";
import { DENO_ERRNOS, errnosOf, SPAWN_ERRNOS } from "./errnos.ts";

/** One call of the runtime's. */
export interface Call {
  /** Of the man page, or "Deno.mkdirSync". */
  readonly name: string;
  /** How it may fail. */
  readonly errnos: readonly ErrnoName[];
}

/** Says how a call is to fail; undefined lets it through. */
export type Judge = (call: Call) => ErrnoName | undefined;

const NAMES = new Map<number, SyscallName>(
  Object.entries(SYSCALLS[CPU]).map(([name, number]) => [number, name as SyscallName]),
);

interface Library {
  symbols: Record<string, Deno.PointerObject>;
  syscall: { call(...words: readonly bigint[]): number };
  syscallOnThread: { call(...words: readonly bigint[]): Promise<number> };
  errno: Int32Array;
}

/** Shows `judge` every call from now on. @returns the way back */
export function interceptCalls(judge: Judge): () => void {
  const undo = [interceptLibrary(judge), interceptDeno(judge)];
  return () => undo.forEach((action) => action());
}

function interceptLibrary(judge: Judge): () => void {
  const library = libc() as unknown as Library;
  const real = { ...library };
  const fails = (number: bigint, request: bigint | undefined): boolean => {
    const name = NAMES.get(Number(number))!;
    // It cannot fail for a process that is stopped, which would stay so.
    if (name === "ptrace" && request === BigInt(PTRACE_DETACH)) return false;
    const failed = judge({ name, errnos: errnosOf(name) });
    library.errno = failed === undefined ? real.errno : Int32Array.of(ERRNO[failed]);
    return failed !== undefined;
  };
  library.syscall = {
    call(number, ...args) {
      if (!fails(number, args[0])) return real.syscall.call(number, ...args);
      // The descriptor is gone in any case: close(2).
      if (Number(number) === SYSCALLS[CPU].close) real.syscall.call(number, ...args);
      return -1;
    },
  };
  library.syscallOnThread = {
    call: (number, ...args) =>
      fails(number, args[0]) ? Promise.resolve(-1) : real.syscallOnThread.call(number, ...args),
  };
  library.symbols = { ...real.symbols };
  const callbacks = Object.keys(SPAWN_ERRNOS).map((name) => {
    const callback = spawnFunction(real.symbols[name]!, () => judge({ name, errnos: SPAWN_ERRNOS[name]! }));
    library.symbols[name] = callback.pointer;
    return callback;
  });
  return () => {
    Object.assign(library, real);
    callbacks.forEach((callback) => callback.close());
  };
}

const SIX_WORDS = ["i64", "i64", "i64", "i64", "i64", "i64"] as const;

/** In the place of a function that returns its errno. Those with fewer parameters do not look at the rest. */
function spawnFunction(pointer: Deno.PointerObject, fails: () => ErrnoName | undefined) {
  const definition = { parameters: SIX_WORDS, result: "i32" } as const;
  // deno-lint-ignore no-explicit-any
  const real = new Deno.UnsafeFnPointer<typeof definition>(pointer as any, definition);
  return new Deno.UnsafeCallback(definition, (...words) => {
    const errno = fails();
    return errno === undefined ? real.call(...words) : ERRNO[errno];
  });
}

type DenoFunction = (...args: unknown[]) => unknown;

function interceptDeno(judge: Judge): () => void {
  const functions = Deno as unknown as Record<string, DenoFunction>;
  const real = { ...functions };
  for (const [name, errnos] of Object.entries(DENO_ERRNOS)) {
    functions[name] = (...args) => {
      const errno = judge({ name: `Deno.${name}`, errnos });
      if (errno === undefined) return real[name]!(...args);
      const [path, , ...rest] = args;
      // A disk that is full shows it when the file is there already.
      if (name === "writeTextFileSync" && errno === "ENOSPC") real[name]!(path, "", ...rest);
      throw denoError(errno, args.length === 0 ? name : `${name} '${path}'`);
    };
  }
  return () => Object.keys(DENO_ERRNOS).forEach((name) => functions[name] = real[name]!);
}

const CLASSES: Readonly<Partial<Record<ErrnoName, new (message: string) => Error>>> = {
  EACCES: Deno.errors.PermissionDenied,
  EPERM: Deno.errors.PermissionDenied,
  ENOENT: Deno.errors.NotFound,
  EEXIST: Deno.errors.AlreadyExists,
  ELOOP: Deno.errors.FilesystemLoop,
  EINTR: Deno.errors.Interrupted,
};

/** As Deno makes them: a class for some errnos, and all of it in the text. */
function denoError(errno: ErrnoName, what: string): Error {
  const { [errno]: Class = Error } = CLASSES;
  const text = ERRNO_TEXT[ERRNO[errno]]!;
  const error = new Class(`${text[0]!.toUpperCase()}${text.slice(1)} (os error ${ERRNO[errno]}): ${what}`);
  return Object.assign(error, { code: errno });
}
