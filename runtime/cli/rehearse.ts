/**
 * What a process does that a snapshot is taken of, before it stands still: it makes and removes containers. So all that a
 * command needs is loaded, and V8 has its type feedback, from the start of each snapshot on: a tenth of a run's time.
 *
 * No module may keep a fact about the machine or the caller: it would be that of the time when the snapshot was taken.
 *
 * @module
 */
import { Container } from "../container/container.ts";
import { createContainer } from "../container/create.ts";
import { ExecutedProcess } from "../container/exec.ts";
import { CPU } from "../linux/libc.ts";
import { wait } from "../linux/processes.ts";
import { log } from "../log.ts";
import { writeIdleProgram } from "../snapshot/idle.ts";
import type { Config } from "../spec/config.ts";
import { defaultConfig } from "../spec/default.ts";
import { stringify } from "../spec/json.ts";
import { compileSeccomp } from "../../wasm/mod.ts";
import { type Commands, globalOptions, runCommand } from "./command.ts";
import { parseOptions } from "./options.ts";

/** So often that V8 collects type feedback. */
const ROUNDS = 30;

/** Global options, command and arguments of a short run in the directory of {@linkcode rehearse}, and after it. */
export function shortRun(directory: string): string[] {
  return ["--root", stateOf(directory), "run", "--bundle", directory, rehearsalId()];
}

/** @param directory an empty one, for the bundle and the state of the containers: it stays */
export async function rehearse(commands: Commands, directory: string): Promise<void> {
  // Nobody has asked for these containers: what they lack is no news.
  log.open({ level: "error" });
  const base = defaultConfig({ rootless: Deno.uid() !== 0, uid: Deno.uid()!, gid: Deno.gid()! });
  const config = { ...base, process: { ...base.process!, terminal: false, args: ["/exit"] } };
  Deno.mkdirSync(`${directory}/rootfs`);
  writeIdleProgram(`${directory}/rootfs/wait`, "wait");
  writeIdleProgram(`${directory}/rootfs/exit`, "exit");
  Deno.writeTextFileSync(`${directory}/config.json`, stringify(config));
  const { options: global } = parseOptions(globalOptions, []);
  for (let round = 0; round < ROUNDS; round++) {
    await runCommand({ global, commands, print() {} }, "explain", ["--bundle", directory]);
    compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW" }, { native: CPU });
  }
  try {
    for (let round = 0; round < ROUNDS; round++) await live(config, directory);
  } catch {
    // Commands start nevertheless, a little later, where no container can be made: in a chroot, when a package is installed.
  }
}

/** The life of one container. */
async function live(config: Config, directory: string): Promise<void> {
  const id = rehearsalId();
  const root = stateOf(directory);
  const waiting = { ...config, process: { ...config.process!, args: ["/wait"] } };
  const created = await createContainer(waiting, { id, bundle: directory, root });
  try {
    created.start();
    created.close();
    const running = Container.load(root, id);
    const executed = ExecutedProcess.create(running, config.process!);
    executed.start();
    // As its parent: until then the container's init cannot end. Nothing asynchronous: Deno would start threads for it.
    wait(executed.pid);
    executed.close(true);
  } finally {
    Container.delete(root, id, true);
  }
}

function stateOf(directory: string): string {
  return `${directory}/state`;
}

/** Two that are built at once have different cgroups. */
function rehearsalId(): string {
  return `rehearsal-${Deno.pid}`;
}

/** Frees what nobody needs: it would be a part of the snapshot. For V8 with --expose-gc. */
export function collectGarbage(): void {
  const { gc } = globalThis as { gc?: (options: unknown) => void };
  gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
