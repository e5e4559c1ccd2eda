/**
 * A log that a daemon keeps: syslog's, or systemd's journal. Loaded only if `--log` names one.
 *
 * @see crun's src/libcrun/error.c; https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
 * @module
 */
import { write } from "./linux/files.ts";
import { connectDatagrams } from "./linux/sockets.ts";
import type { Level, Send } from "./log.ts";

/** syslog(3): LOG_DEBUG, LOG_WARNING, LOG_ERR. */
const PRIORITIES: Readonly<Record<Level, number>> = { debug: 7, warning: 4, error: 3 };
const LOG_USER = 1 << 3;

const DAEMONS = {
  syslog: { socket: "/dev/log", record: syslogRecord },
  journald: { socket: "/run/systemd/journal/socket", record: journalRecord },
} as const;

/**
 * @param identifier what the lines are found by, "hako" if empty
 * @throws {SyscallError} if the daemon is not there
 */
export function connectLog(daemon: keyof typeof DAEMONS, identifier: string): Send {
  const { socket, record } = DAEMONS[daemon];
  const fd = connectDatagrams(socket);
  if (daemon === "syslog") useCallersTimeZone();
  return (level, text) => {
    try {
      write(fd, record(level, text, identifier || "hako"));
    } catch {
      // As syslog(3) and sd_journal_send(3): a command must not fail because the daemon has ended.
    }
  };
}

/** A snapshot has that of where it was taken, and Deno looks for it again when the variable is touched. */
function useCallersTimeZone(): void {
  const zone = Deno.env.get("TZ");
  if (zone === undefined) Deno.env.delete("TZ");
  else Deno.env.set("TZ", zone);
}

/** As syslog(3) of glibc writes it: in local time, without the year. */
export function syslogRecord(
  level: Level,
  text: string,
  identifier: string,
  time: Date = new Date(),
): Uint8Array<ArrayBuffer> {
  const [, month, day, , clock] = time.toString().split(" ");
  const stamp = `${month} ${day!.replace(/^0/, " ")} ${clock}`;
  return new TextEncoder().encode(`<${LOG_USER | PRIORITIES[level]}>${stamp} ${identifier}: ${text}`);
}

export function journalRecord(level: Level, text: string, identifier: string): Uint8Array<ArrayBuffer> {
  const fields = { MESSAGE: text, PRIORITY: `${PRIORITIES[level]}`, SYSLOG_IDENTIFIER: identifier };
  return new Uint8Array(Object.entries(fields).flatMap(([name, value]) => journalField(name, value)));
}

/** With the length of the value: the other form, NAME=value, has no room for line breaks. */
function journalField(name: string, value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  const length = new Uint8Array(new BigUint64Array([BigInt(bytes.length)]).buffer);
  return [...new TextEncoder().encode(`${name}\n`), ...length, ...bytes, 0x0a];
}
