import { ENVIRONMENT } from "../../checkpoint/criu.ts";
import { Home } from "../rarely_used.ts";
import { Shell } from "./shell.ts";

const SECONDS = 20;

/**
 * Kills the CRIU that has not ended in time, among our children. It is known by its argument: its name may be that of a
 * dynamic linker (criu.sh). More than 128 is a timeout of read, and our end is none: bash(1).
 */
const WATCH = `
  read -t ${SECONDS}
  (($? > 128)) || exit
  for pid in $(cat /proc/$PPID/task/*/children); do
    tr '\\0' ' ' </proc/$pid/cmdline | grep -q ' swrk [0-9]' && kill -KILL $pid
  done`;

/** What is around a command that runs CRIU, up to its end: a PATH that has it, and somebody who bounds the wait for it. */
export class Stage {
  /** Children of ours that are no part of what the command does. */
  readonly pids: number[] = [];
  readonly #undo = new DisposableStack();
  readonly #watch: Shell;

  constructor() {
    const path = Deno.env.get("PATH")!;
    Deno.env.set("PATH", ENVIRONMENT.PATH);
    this.defer(() => Deno.env.set("PATH", path));
    const home = new Home();
    this.defer(() => {
      home.return();
      home.close();
    });
    this.#watch = this.shell(WATCH);
  }

  /** A script beside the command. */
  shell(script: string): Shell {
    const shell = new Shell(script);
    this.pids.push(shell.pid);
    this.defer(() => shell.end());
    return shell;
  }

  /** What is to be done in the end, the last thing first. */
  defer(action: () => void): void {
    this.#undo.defer(action);
  }

  /** @returns what is wrong */
  look(): string[] {
    return this.#watch.hasEnded ? [`a CRIU that did not end within ${SECONDS} seconds`] : [];
  }

  clear(): void {
    this.#undo.dispose();
  }
}
