/**
 * A program of some commands: argv -> command -> exit code. The only file that prints and exits.
 *
 * @module
 */

import { ConfigError, oneLine, StateError, SyscallError, UsageError } from "../errors.ts";
import { messageOf } from "../linux/deno_error.ts";
import { type Fields, log } from "../log.ts";
import { adviceOn, hasProc } from "./advice.ts";
import { type Commands, type GlobalOptions, globalOptions, runCommand } from "./command.ts";
import { programHelp } from "./help.ts";
import { parseOptions } from "./options.ts";
import { versionText } from "./version.ts";

/** Does what our arguments ask for, and exits. @param check throws if nothing may be done */
export async function runProgram(commands: Commands, check?: () => void): Promise<void> {
  // The build's warm-up run has to end by itself: V8's code cache is stored after the module, which exit() cuts off.
  const warmUp = Deno.args[0] === "--warm-up";
  const status = await statusOf(commands, warmUp ? Deno.args.slice(1) : Deno.args, check);
  if (!warmUp) Deno.exit(status);
}

/** What the command that runs exits with when it fails. */
let failureStatus = 1;

async function dispatch(commands: Commands, args: readonly string[]): Promise<number> {
  const { options: global, positionals } = parseOptions(globalOptions, args, { stopAtPositional: true });
  const [name, ...rest] = positionals;
  await openLog(global);
  if (global.version) {
    print(versionText());
  } else if (global.help || name === undefined) {
    print(programHelp(globalOptions, commands));
  } else {
    failureStatus = commands[name]?.failureStatus ?? 1;
    return runCommand({ global, commands, print }, name, rest);
  }
  return 0;
}

/** Destinations are crun's: `file:PATH`, `journald:NAME`, `syslog:NAME`. All else is a path, with colons too, as it is to runc. */
async function openLog(
  { log: to, "log-format": format, "log-level": least, debug }: GlobalOptions,
): Promise<void> {
  const level = debug ? "debug" : least;
  const [, kind, name = ""] = /^(file|journald|syslog):(.*)$/s.exec(to ?? "") ?? [];
  try {
    if (kind === "journald" || kind === "syslog") {
      const { connectLog } = await import("../log_daemons.ts");
      log.open({ send: connectLog(kind, name), format, level });
    } else {
      log.open({ file: kind === "file" ? name : to, format, level });
    }
  } catch (error) {
    throw new UsageError(`cannot open the log: ${messageOf(error)}`);
  }
}

/** One line for what Hako throws on purpose; anything else is a bug, and its stack is what helps. */
function describe(error: unknown): [message: string, fields?: Fields] {
  if (error instanceof UsageError || error instanceof StateError) return [error.message];
  if (error instanceof ConfigError) return [error.message, { config: error.pointer }];
  if (error instanceof SyscallError) {
    const { message, call, errno, path, pointer } = error;
    const advice = adviceOn(error);
    return [advice === undefined ? message : `${message}: ${advice}`, {
      syscall: call,
      errno: errno.name,
      ...path && { path },
      ...pointer && { config: pointer },
    }];
  }
  // A file of the caller's: a state directory, a pid file. Deno gives a code to each error of the system, and a class of its
  // own to some of them: not to ENOSPC or ENAMETOOLONG.
  if (error instanceof Error && "code" in error) {
    const message = oneLine(messageOf(error));
    return [hasProc() ? message : `${message}: /proc has to be mounted`];
  }
  return [`bug: ${error instanceof Error ? error.stack : error}`];
}

function print(output: string | Uint8Array): void {
  try {
    for (
      let rest = typeof output === "string" ? new TextEncoder().encode(output) : output;
      rest.length > 0;
    ) {
      rest = rest.subarray(Deno.stdout.writeSync(rest));
    }
  } catch (error) {
    // `hako explain | head`: end as by SIGPIPE, which Deno ignores.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(128 + 13);
    throw error;
  }
}

async function statusOf(commands: Commands, args: readonly string[], check?: () => void): Promise<number> {
  try {
    check?.();
    const status = await dispatch(commands, args);
    log.flush();
    return status;
  } catch (error) {
    log.error(...describe(error));
    return failureStatus;
  }
}
