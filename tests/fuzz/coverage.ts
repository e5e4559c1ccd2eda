/**
 * Which parts of the project's source have run: the blocks that V8 counts, by the characters they are made of.
 *
 * @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#method-takePreciseCoverage
 * @module
 */
import { Session } from "node:inspector";

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Script {
  readonly url: string;
  readonly functions: readonly { readonly functionName: string; readonly ranges: readonly Range[] }[];
}

const ROOT = new URL("../../", import.meta.url).href;
const OURS = ["runtime/", "cgroups/", "bpf-compiler/", "wasm/"].map((folder) => ROOT + folder);

/** Counts from its start on, until it is closed. */
export class Coverage {
  readonly #session: Session;
  /** By function: which of its characters have run. */
  #seen = new Map<string, Uint8Array>();

  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(): Promise<Coverage> {
    const session = new Session();
    session.connect();
    const coverage = new Coverage(session);
    await coverage.#post("Profiler.enable");
    await coverage.#post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
    return coverage;
  }

  /** @returns how many characters have run since the last call, and never before */
  async take(): Promise<number> {
    const { result } = await this.#post("Profiler.takePreciseCoverage") as { result: readonly Script[] };
    let added = 0;
    for (const { url, functions } of result) {
      if (!OURS.some((folder) => url.startsWith(folder))) continue;
      for (const { functionName, ranges } of functions) added += this.#add(url + functionName, ranges);
    }
    return added;
  }

  /** The first range is the function, and what lies within another has its own count. */
  #add(name: string, ranges: readonly Range[]): number {
    const [{ startOffset, endOffset, count }] = ranges as readonly [Range];
    if (count === 0) return 0;
    const ran = new Uint8Array(endOffset - startOffset);
    for (const range of ranges) {
      ran.fill(range.count > 0 ? 1 : 0, range.startOffset - startOffset, range.endOffset - startOffset);
    }
    const key = `${name} ${startOffset}`;
    const seen = this.#seen.get(key);
    if (seen === undefined) this.#seen.set(key, ran);
    let added = 0;
    for (let at = 0; at < ran.length; at++) {
      if (ran[at] === 0 || seen?.[at] === 1) continue;
      added++;
      if (seen !== undefined) seen[at] = 1;
    }
    return added;
  }

  /** Goes on as if nothing had run. */
  async forget(): Promise<void> {
    await this.take();
    this.#seen = new Map();
  }

  close(): void {
    this.#session.disconnect();
  }

  #post(method: string, parameters?: object): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.#session.post(method, parameters, (error, result) => error ? reject(error) : resolve(result))
    );
  }
}
