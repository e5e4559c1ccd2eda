/** What users do with containers, in this process: each can be run thousands of times with a fault in it. @module */
import { globalOptions, runCommand } from "../../runtime/cli/command.ts";
import { commands } from "../../runtime/cli/mod.ts";
import { parseOptions } from "../../runtime/cli/options.ts";
import { Container } from "../../runtime/container/container.ts";
import { createContainer } from "../../runtime/container/create.ts";
import { ExecutedProcess } from "../../runtime/container/exec.ts";
import { SIGCONT } from "../../runtime/linux/generated/constants.ts";
import type { ErrnoName } from "../../runtime/linux/generated/errno.ts";
import { wait } from "../../runtime/linux/processes.ts";
import { validateProcess } from "../../runtime/spec/parse.ts";
import type { Config } from "../../runtime/spec/config.ts";
import type { GoldenBundle } from "./golden.ts";
import { closeOthers, descriptors, type Expected } from "./leftovers.ts";

/** What a scenario need know of it. */
export interface Fault {
  /** There were two: what they have kept from ending is to end. */
  readonly twice: boolean;
  /** Of the first, if it was a call that failed. */
  readonly errno: ErrnoName | undefined;
}

export interface Scenario {
  readonly name: string;
  /** Up to where faults begin. @returns what may be there afterwards */
  prepare?(): Expected | Promise<Expected>;
  /** @throws whatever the fault leads to */
  act(): void | Promise<void>;
  /** Part of it deletes the container: what could not be deleted is left, and can be deleted by force. */
  readonly deletes?: boolean;
  /** It is there afterwards, as a command leaves it that ends next. */
  readonly stays?: boolean;
  /** Its locks are held to the end of its process. */
  readonly holds?: boolean;
  /** When it fails, programs of others leave processes to whoever takes orphans, which end by themselves. */
  readonly orphans?: boolean;
  /** It is about what fails by itself, and says so: a fault is a second one. */
  readonly fails?: boolean;
  /** What it has printed, without numbers: a fault that is passed over changes nothing of it. */
  readonly output?: () => string;
  /** Each takes its time: `quick` has one fault for each line. */
  readonly slow?: boolean;
  /**
   * When there are no more faults, before anybody looks for what is left.
   *
   * @returns what is wrong with what is there
   */
  after?(error: unknown, fault: Fault): readonly string[] | Promise<readonly string[]>;
  /** Names of calls that are not made to fail. */
  readonly spares?: readonly string[];
  /** Ends what `prepare` has made. */
  finish?(): void | Promise<void>;
}

export type ScenarioName = "container" | "create" | "start" | "exec" | "delete" | "run";

/** Everything that can be done with one config. */
export function scenarios(golden: string, bundle: GoldenBundle): Record<ScenarioName, Scenario> {
  const { id, path, config, root, options, renew } = bundle;
  const create = (changed = config) => createContainer(changed, { id, bundle: path, root, ...options });
  // For the command that comes next, as `hako create` leaves it.
  const leave = async (make: () => Promise<Container>): Promise<Expected> => {
    renew();
    const before = descriptors();
    const { pid } = await make();
    closeOthers(before);
    return { ids: [id], pids: [pid] };
  };
  const started = async (changed?: Config) => {
    const container = await create(changed);
    container.start();
    return container;
  };
  const asleep = { ...config, process: { ...config.process!, args: ["/bin/sleep", "600"] } };
  const remove = () => deleteByForce(root, id);
  const renewed = () => {
    renew();
    return {};
  };
  return {
    container: {
      name: `${golden}: create, start, wait, delete`,
      prepare: renewed,
      async act() {
        const container = await create();
        try {
          container.start();
          await container.wait();
        } finally {
          container.delete(true);
        }
      },
    },
    create: {
      name: `${golden}: create`,
      prepare: renewed,
      async act() {
        made = await create();
      },
      finish() {
        made?.delete(true);
        made = undefined;
      },
    },
    start: {
      name: `${golden}: start`,
      prepare: () => leave(create),
      act: () => Container.loadLocked(root, id).start(),
      finish: remove,
    },
    exec: {
      name: `${golden}: exec`,
      prepare: () => leave(() => started(asleep)),
      async act() {
        const process = validateProcess({ ...config.process, args: ["/bin/true"] });
        const executed = ExecutedProcess.create(Container.load(root, id), process, options);
        let started = false;
        try {
          executed.start();
          started = true;
          executed.signal(SIGCONT);
          await executed.wait();
        } catch (error) {
          // As the end of a command leaves it to another parent: else it would stay in the container's pid namespace.
          if (started) tryWait(executed.pid);
          throw error;
        } finally {
          executed.close(started);
        }
      },
      finish: remove,
    },
    delete: {
      name: `${golden}: delete`,
      async prepare() {
        const expected = await leave(() => started(asleep));
        // As containers do that have their cgroup for themselves.
        const { cgroupPaths = {} } = Container.load(root, id).state;
        for (const path of new Set(Object.values(cgroupPaths))) Deno.mkdirSync(`${path}/below`);
        return expected;
      },
      act: () => Container.delete(root, id, true),
      deletes: true,
    },
    run: {
      name: `${golden}: run`,
      prepare: renewed,
      async act() {
        const { consoleSocket, pidfdSocket } = options;
        const pidFile = `${path}/pid`;
        await hako(root, "run", [
          ...["--bundle", path, "--pid-file", pidFile],
          // A terminal that is given away is nothing to wait at.
          ...consoleSocket ? ["--detach", "--console-socket", consoleSocket] : [],
          ...pidfdSocket ? ["--pidfd-socket", pidfdSocket] : [],
          id,
        ]);
      },
      deletes: true,
      stays: options.consoleSocket !== undefined,
    },
  };
}

let made: Container | undefined;

/** A command in this process. @returns what it prints */
export async function hako(root: string, command: string, args: readonly string[]): Promise<string> {
  const { options: global } = parseOptions(globalOptions, ["--root", root]);
  let output = "";
  const print = (text: string | Uint8Array) => {
    output += text;
  };
  await runCommand({ global, commands, print }, command, args);
  return output;
}

/** `hako delete --force`, and the wait of a parent. */
export function deleteByForce(root: string, id: string): void {
  const pid = pidOf(root, id);
  Container.delete(root, id, true);
  if (pid !== undefined && pid !== 0) tryWait(pid);
}

function pidOf(root: string, id: string): number | undefined {
  try {
    return Container.load(root, id).pid;
  } catch {
    return undefined;
  }
}

/** Reaps a child that has ended, or is about to. */
export function tryWait(pid: number): void {
  try {
    wait(pid);
  } catch {
    // It was waited for, or never a child of ours.
  }
}
