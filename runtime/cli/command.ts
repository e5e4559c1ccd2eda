/**
 * What a command is, and the way from its arguments to its action. A command's file says everything about it once:
 * `--help`, the completions and the checks are made from the same tables.
 *
 * @module
 */

import { setRootless } from "../container/rootless.ts";
import { UsageError } from "../errors.ts";
import { FORMATS, LEVELS } from "../log.ts";
import { commandHelp } from "./help.ts";
import { type Options, parseOptions, type Values } from "./options.ts";

/** How many arguments beside options a command takes. */
export interface Positionals {
  readonly min: number;
  /** Any number if absent. */
  readonly max?: number;
  /** All that the first may be; for the completions. */
  readonly words?: readonly string[];
}

/** Where at least one argument is asked for, the first is there. */
type Arguments<P extends Positionals> = number extends P["min"] ? readonly string[]
  : P["min"] extends 0 ? readonly string[]
  : readonly [string, ...string[]];

/** What is the same for every command. */
export interface Program {
  readonly global: GlobalOptions;
  readonly commands: Commands;
  /** Writes to stdout, nothing added. */
  print(output: string | Uint8Array): void;
}

/** What an action is given. */
export interface Context<T extends Options = Options, P extends Positionals = Positionals> extends Program {
  readonly args: Arguments<P>;
  readonly options: Values<T>;
}

export interface Command<T extends Options = Options, P extends Positionals = Positionals> {
  readonly name: string;
  /** One line, from a small letter on, without a full stop. */
  readonly summary: string;
  /** What follows the name: "[options] ID". */
  readonly usage: string;
  readonly positionals: P;
  /** Options end at the first argument that is none: what follows belongs to another program. */
  readonly stopAtPositional?: boolean;
  readonly options: T;
  /** The exit status of a command that fails, 1 if absent. */
  readonly failureStatus?: number;
  /** @returns the exit status */
  action(context: Context<T, P>): number | Promise<number>;
}

export type Commands = Readonly<Record<string, Command>>;

const help = { type: "flag", short: "h", help: "print this text" } as const;

/** Options before the command. */
export const globalOptions = {
  root: {
    type: "text",
    value: "DIR",
    complete: "directory",
    help: "keep containers' state in DIR (/run/hako; rootless: $XDG_RUNTIME_DIR/hako)",
  },
  log: {
    type: "text",
    value: "FILE",
    complete: "file",
    help: "append the log to FILE, not to stderr; journald:NAME or syslog:NAME: to a daemon",
  },
  "log-format": { type: "choice", value: "FORMAT", choices: FORMATS, help: "how the log is written (text)" },
  "log-level": { type: "choice", value: "LEVEL", choices: LEVELS, help: "log from LEVEL on (warning)" },
  debug: { type: "flag", help: "the same as --log-level=debug" },
  "systemd-cgroup": { type: "flag", help: "the same as --cgroup-manager=systemd" },
  "cgroup-manager": {
    type: "choice",
    value: "NAME",
    choices: ["cgroupfs", "systemd", "disabled"],
    help: "who makes cgroups (cgroupfs)",
  },
  rootless: {
    type: "choice",
    value: "BOOL",
    choices: ["true", "false", "auto"],
    help: "do without root's rights (auto)",
  },
  version: { type: "flag", short: "v", help: "print the version" },
  help,
} as const satisfies Options;

export type GlobalOptions = Values<typeof globalOptions>;

/** Infers the types of `command`'s action from its tables, and adds `--help` to them. */
export function defineCommand<const T extends Options, const P extends Positionals>(
  command: Command<T, P>,
): Command<T & { readonly help: typeof help }, P> {
  return { ...command, options: { ...command.options, help } };
}

/**
 * Runs the command that `name` names with the arguments behind it.
 *
 * @returns the exit status
 * @throws {UsageError} if there is no such command, or its arguments are wrong
 */
export function runCommand(
  program: Program,
  name: string,
  args: readonly string[],
): number | Promise<number> {
  const { commands } = program;
  if (!Object.hasOwn(commands, name)) {
    throw new UsageError(`unknown command "${name}", allowed: ${Object.keys(commands).join(", ")}`);
  }
  const command = commands[name]!;
  const { options, positionals } = parseOptions(command.options, args, command);
  if (options.help) {
    program.print(commandHelp(command));
    return 0;
  }
  checkCount(command, positionals.length);
  setRootless(program.global.rootless ?? "auto");
  return command.action({ ...program, options, args: positionals });
}

/** In the words of runc's checkArgs. */
function checkCount({ name, positionals: { min, max = Infinity } }: Command, count: number): void {
  const wanted = min === max && count !== min
    ? `exactly ${min}`
    : count < min
    ? `a minimum of ${min}`
    : count > max
    ? `a maximum of ${max}`
    : undefined;
  if (wanted !== undefined) throw new UsageError(`"${name}" requires ${wanted} argument(s)`);
}
