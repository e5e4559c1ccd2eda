/**
 * The four errors that Hako throws on purpose. Anything else that reaches `cli/program.ts` is a bug and prints its stack.
 *
 * A message is one line: what was being done, the call, the errno text in libc's words, the config member. Engines
 * classify containers' failures by these texts (moby daemon/errors.go, Podman libpod/oci_util.go), so the words
 * "permission denied", "no such file or directory" and "executable file not found in $PATH" are an interface.
 *
 * @module
 */

/** An RFC 6901 pointer into config.json ("/mounts/1/options/0"), or "runtime" for what Hako needs for itself. */
export type Pointer = string;

/** An errno as errno(3) names it, with the text of strerror(3) in lower case. */
export interface ErrnoInfo {
  /** "EINVAL" */
  readonly name: string;
  readonly number: number;
  /** "invalid argument" */
  readonly text: string;
}

/** Whatever a config or an image has put into names and values: it must not look like lines, or talk to a terminal. */
export function oneLine(message: string): string {
  return message.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The end of a message about what `pointer` asks for. */
export function askedFor(pointer: Pointer | undefined): string {
  return pointer === undefined || pointer === "runtime" ? "" : `, asked for by config.json ${pointer}`;
}

/** The command line is wrong. The message says what is allowed. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  constructor(problem: string) {
    super(oneLine(problem));
  }
}

/** A member of config.json is missing, of the wrong type, or contradicts another. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly pointer: Pointer;

  /**
   * @param pointer the member at fault
   * @param problem what is wrong and what is allowed: `must be an absolute path, not "proc"`
   */
  constructor(pointer: Pointer, problem: string) {
    super(oneLine(`config.json ${pointer === "" ? "(top level)" : pointer}: ${problem}`));
    this.pointer = pointer;
  }
}

/** The container is not in a state that allows the operation, or does not exist. */
export class StateError extends Error {
  override readonly name = "StateError";
  readonly id: string;

  constructor(id: string, problem: string) {
    super(oneLine(problem));
    this.id = id;
  }
}

/** What a {@linkcode SyscallError} may know beside the call and its errno. */
export interface SyscallErrorContext {
  /** What was being done: "mount tmpfs on /dev". */
  readonly label?: string;
  /** The call with its arguments: `openat2($root, "dev", O_PATH)`. The bare name if absent. */
  readonly detail?: string;
  readonly path?: string;
  readonly pointer?: Pointer;
}

/** A system call failed: in the runtime itself, or as a step of a plan. */
export class SyscallError extends Error {
  override readonly name = "SyscallError";
  /** The man page's name: "openat2". */
  readonly call: string;
  readonly errno: ErrnoInfo;
  readonly path?: string;
  /** The call with what it was about. */
  readonly detail: string;
  readonly label?: string;
  readonly pointer?: Pointer;

  constructor(call: string, errno: ErrnoInfo, context: SyscallErrorContext = {}) {
    const { label, path, pointer } = context;
    const detail = context.detail ?? (path === undefined ? call : `${call} ${path}`);
    super(oneLine(
      `${label === undefined ? "" : `${label}: `}${detail}: ${errno.text} (${errno.name})${
        askedFor(pointer)
      }`,
    ));
    this.call = call;
    this.errno = errno;
    this.path = path;
    this.detail = detail;
    this.label = label;
    this.pointer = pointer;
  }
}
