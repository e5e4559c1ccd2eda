/** Every command in every state of a container, and once it is gone: what it does, or in which words it refuses. */

import { assertEquals } from "@std/assert";
import { fails, type Hako, hakoOf, ok, until } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";

const STATES = ["creating", "created", "running", "paused", "stopped", "gone"] as const;
type State = typeof STATES[number];

/** What follows a command that succeeds: the state of the container; and of one that is refused: what it says. */
type Outcome = { readonly then: State } | { readonly says: string };

const then = (state: State): Outcome => ({ then: state });
const says = (words: string): Outcome => ({ says: words });

const unchanged: Readonly<Record<State, Outcome>> = {
  creating: then("creating"),
  created: then("created"),
  running: then("running"),
  paused: then("paused"),
  stopped: then("stopped"),
  gone: says("container does not exist: {id}"),
};
const exists = says("container with given ID already exists: {id}");
const busy = says("container {id} is being created");
const notStopped = (state: State) => says(`cannot delete container {id} that is not stopped: ${state}`);

/** {id} stands for the container's id. */
const COMMANDS: Readonly<Record<string, Readonly<Record<State, Outcome>>>> = {
  "state {id}": unchanged,
  "list": { ...unchanged, gone: then("gone") },
  "ps --format json {id}": unchanged,
  "create {id}": {
    creating: exists,
    created: exists,
    running: exists,
    paused: exists,
    stopped: exists,
    gone: then("created"),
  },
  "run --detach {id}": {
    creating: exists,
    created: exists,
    running: exists,
    paused: exists,
    stopped: exists,
    gone: then("running"),
  },
  "start {id}": {
    ...unchanged,
    creating: busy,
    created: then("running"),
    running: says("cannot start an already running container"),
    paused: says("cannot start a container in the paused state"),
    stopped: says("cannot start a container that has stopped"),
  },
  "kill {id} KILL": {
    ...unchanged,
    creating: says("container not running"),
    created: then("stopped"),
    running: then("stopped"),
    paused: then("stopped"),
    stopped: says("container not running"),
  },
  "kill --all {id} KILL": {
    ...unchanged,
    creating: says("container not running"),
    created: then("stopped"),
    running: then("stopped"),
    paused: then("stopped"),
  },
  "exec {id} true": {
    ...unchanged,
    creating: says("cannot exec in a container that is being created"),
    paused: says("cannot exec in a paused container (use --ignore-paused to override)"),
    stopped: says("cannot exec in a stopped container"),
  },
  "pause {id}": {
    ...unchanged,
    creating: busy,
    created: then("paused"),
    running: then("paused"),
    paused: says("container paused"),
    stopped: says("container not running"),
  },
  "resume {id}": {
    ...unchanged,
    creating: busy,
    created: says("container not paused"),
    running: says("container not paused"),
    paused: then("running"),
    stopped: says("container not paused"),
  },
  "update --pids-limit 77 {id}": { ...unchanged, creating: busy, stopped: says("container not running") },
  "events --stats {id}": {
    ...unchanged,
    creating: says("container with id {id} is not running"),
    stopped: says("container with id {id} is not running"),
  },
  "delete {id}": {
    ...unchanged,
    creating: notStopped("creating"),
    created: then("gone"),
    running: notStopped("running"),
    paused: notStopped("paused"),
    stopped: then("gone"),
  },
  "delete --force {id}": {
    creating: then("gone"),
    created: then("gone"),
    running: then("gone"),
    paused: then("gone"),
    stopped: then("gone"),
    gone: then("gone"),
  },
};

/** One container, which is brought to a state again and again. */
class Subject {
  readonly hako: Hako;
  readonly id: string;
  readonly bundle: string;
  /** As long as this file is there the container is being created. */
  readonly #waiting: string;
  #creation: Promise<unknown> | undefined;

  constructor(box: Box) {
    this.hako = hakoOf(box);
    this.id = box.id;
    this.#waiting = `${box.directory}/waiting`;
    const args = ["sh", "-c", `while [ -e ${this.#waiting} ]; do sleep 0.02; done`];
    this.bundle = box.bundle({
      args: ["sleep", "1000"],
      config: { hooks: { createRuntime: [{ path: "/bin/busybox", args }] } },
    }).path;
  }

  async state(): Promise<State> {
    const { status, stdout } = await this.hako("state", this.id);
    return status === 0 ? JSON.parse(stdout).status : "gone";
  }

  reaches(state: State): Promise<void> {
    return until(async () => await this.state() === state);
  }

  async bringTo(state: State): Promise<void> {
    if (state === "gone") return;
    if (state === "creating") Deno.writeTextFileSync(this.#waiting, "");
    this.#creation = ok(this.hako("create", "--bundle", this.bundle, this.id));
    if (state !== "creating") await this.#creation;
    for (const [command, ...rest] of STEPS[state] ?? []) await ok(this.hako(command!, this.id, ...rest));
    await this.reaches(state);
  }

  async finishCreation(): Promise<void> {
    Deno.writeTextFileSync(this.#waiting, "");
    Deno.removeSync(this.#waiting);
    await this.#creation;
  }

  async remove(): Promise<void> {
    await this.finishCreation();
    await ok(this.hako("delete", "--force", this.id));
  }
}

const STEPS: Readonly<Partial<Record<State, readonly (readonly string[])[]>>> = {
  running: [["start"]],
  paused: [["start"], ["pause"]],
  stopped: [["kill", "KILL"]],
};

async function check(subject: Subject, state: State, words: string, outcome: Outcome): Promise<void> {
  const { hako, id, bundle } = subject;
  const [name = "", ...rest] = words.split(" ").map((word) => word === "{id}" ? id : word);
  const makes = name === "create" || name === "run";
  const command = hako(name, ...makes ? ["--bundle", bundle] : [], ...rest);
  if ("says" in outcome) {
    await fails(command, outcome.says.replace("{id}", id), name === "exec" ? 255 : 1);
    assertEquals(await subject.state(), state);
    return;
  }
  if (state === "creating" && outcome.then !== state) {
    // It waits for the end of the creation.
    await new Promise((resolve) => setTimeout(resolve, 100));
    assertEquals(await subject.state(), state);
    await subject.finishCreation();
  }
  await ok(command);
  // All is done when a command returns, but a signal takes its time.
  if (name === "kill") await subject.reaches(outcome.then);
  assertEquals(await subject.state(), outcome.then);
}

for (const state of STATES) {
  containerTest(`each command on a container that is ${state}`, async (box) => {
    const subject = new Subject(box);
    for (const [words, outcomes] of Object.entries(COMMANDS)) {
      try {
        await subject.bringTo(state);
        await check(subject, state, words, outcomes[state]);
      } catch (error) {
        throw new Error(`${words}: ${error instanceof Error ? error.message : error}`, { cause: error });
      } finally {
        await subject.remove();
      }
    }
  });
}
