/**
 * The log: stderr, or what `--log` names, a file in runc's two formats or a daemon. It is synchronous and the only file beside
 * `cli/program.ts` that writes to stderr.
 *
 * Callers read the file of a command that failed, and not alike: containerd takes the last line of level "error" and
 * needs its time in RFC 3339; Podman parses the *whole file* as one JSON object. So a JSON file gets nothing before it
 * is known how the command ends: after a success the warnings, after a failure one object that carries them.
 *
 * @module
 */

/** By gravity. */
export const LEVELS = ["debug", "warning", "error"] as const;
export type Level = typeof LEVELS[number];

export const FORMATS = ["text", "json"] as const;
export type Format = typeof FORMATS[number];

/** Hands a line to a daemon, which knows by itself what time it is. */
export type Send = (level: Level, text: string) => void;

export interface LogOptions {
  /** Appended to, created if absent. Without it the log is stderr. */
  readonly file?: string;
  /** Instead of a file. */
  readonly send?: Send;
  readonly format?: Format;
  /** The least level that is written, "warning" if absent. */
  readonly level?: Level;
}

/** What a line of the log may say beside level, text and time: `{ errno: "EINVAL" }`. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

export class Log {
  readonly #stderr: (text: string) => void;
  #file: Deno.FsFile | undefined;
  #send: Send | undefined;
  #format: Format = "text";
  #level: Level = "warning";
  #held: { readonly line: string; readonly message: string }[] = [];

  constructor(stderr: (text: string) => void = writeStderr) {
    this.#stderr = stderr;
  }

  /** @throws if the file cannot be opened for appending */
  open(options: LogOptions): void {
    const { file, send, format = "text", level = "warning" } = options;
    this.#file = file === undefined
      ? undefined
      : Deno.openSync(file, { append: true, create: true, mode: 0o644 });
    this.#send = send;
    this.#format = format;
    this.#level = level;
  }

  debug(message: string, fields?: Fields): void {
    this.#note("debug", message, fields);
  }

  warn(message: string, fields?: Fields): void {
    this.#note("warning", message, fields);
  }

  /** Why the command failed, told once, by `cli/program.ts`: to the log, and to stderr too where the log is elsewhere. */
  error(message: string, fields: Fields = {}): void {
    if (this.#isStderr) return this.#stderr(this.#stderrLine("error", message, fields));
    this.#stderr(`hako: ${message}\n`);
    if (this.#send !== undefined) return this.#send("error", this.#text("error", message, fields));
    const warnings = this.#held.map((held) => held.message);
    this.#held = [];
    this.#append(this.#line("error", message, warnings.length > 0 ? { ...fields, warnings } : fields));
  }

  /** Writes what was held back: the command has succeeded, or has got as far as its callers look. */
  flush(): void {
    if (this.#held.length > 0) this.#append(this.#held.map((held) => held.line).join(""));
    this.#held = [];
  }

  get #isStderr(): boolean {
    return this.#file === undefined && this.#send === undefined;
  }

  #note(level: Level, message: string, fields: Fields = {}): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#level)) return;
    if (this.#isStderr) return this.#stderr(this.#stderrLine(level, message, fields));
    if (this.#send !== undefined) return this.#send(level, this.#text(level, message, fields));
    const line = this.#line(level, message, fields);
    // Who asks for debug lines wants to see how far a command came that hangs or is killed.
    const hold = this.#format === "json" && this.#level !== "debug";
    if (hold) this.#held.push({ line, message });
    else this.#append(line);
  }

  #stderrLine(level: Level, message: string, fields: Fields): string {
    if (this.#format === "json") return this.#line(level, message, fields);
    return level === "error" ? `hako: ${message}\n` : `hako: ${level}: ${message}\n`;
  }

  /** For a daemon. */
  #text(level: Level, message: string, fields: Fields): string {
    return this.#format === "json" ? this.#line(level, message, fields).trimEnd() : message;
  }

  /** As logrus has it, keys in its order. */
  #line(level: Level, message: string, fields: Fields): string {
    const time = new Date().toISOString().slice(0, 19) + "Z";
    if (this.#format === "json") return JSON.stringify({ level, msg: message, time, ...fields }) + "\n";
    let line = `time="${time}" level=${level} msg=${JSON.stringify(message)}`;
    for (const [key, value] of Object.entries(fields)) line += ` ${key}=${JSON.stringify(value)}`;
    return line + "\n";
  }

  /** One write(2) a line: the file may be shared, and O_APPEND keeps whole writes apart. */
  #append(text: string): void {
    this.#file?.writeSync(new TextEncoder().encode(text));
  }
}

/** The log of this process. */
export const log: Log = new Log();

function writeStderr(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // EPIPE, EBADF, ENOSPC: nobody reads it, and a command must not fail for its log.
  }
}
