/**
 * Runs scenarios with one fault at a time, and judges each by two questions: does the error say what failed, and is
 * anything left.
 *
 * @module
 */
import { ConfigError, StateError, SyscallError, UsageError } from "../../runtime/errors.ts";
import { Init, type InitOptions } from "../../runtime/init/init.ts";
import type { ErrnoName } from "../../runtime/linux/generated/errno.ts";
import { walk } from "../../runtime/plan/format.ts";
import type { Node, Plan, Reason } from "../../runtime/plan/node.ts";
import type { Box } from "../support/fixture.ts";
import { type Call, interceptCalls } from "./calls.ts";
import { errnosOf } from "./errnos.ts";
import { failAt, type Failure, faultName } from "./fail_at.ts";
import { type Expected, Leftovers } from "./leftovers.ts";
import { deleteByForce, type Scenario, tryWait } from "./scenarios.ts";
import { allSites, type Site, sitesOfStack } from "./sites.ts";

// Deno has sockets for its signals from the first listener on: now, and not in the middle of a case.
Deno.addSignalListener("SIGUSR2", () => {});

/** What has come of all faults so far. */
export interface Counts {
  cases: number;
  /** Cases after which something was left, with what it was. */
  readonly leaks: string[];
  /** Cases whose error does not say what failed. */
  readonly unnamed: string[];
  /** Cases that the deadline has cut off. */
  skipped: number;
  /** Faults that were not come to: a process took its time, and was asked less often. */
  missed: number;
  /** Those among the skipped that come first: what later ones lead to is not known. */
  unreached: number;
  /** Through which lines of the runtime's source the calls come that are made to fail. */
  readonly sites: Set<Site>;
}

export interface SurveyOptions {
  readonly box: Box;
  readonly counts: Counts;
  /** One errno for each step and call, another one for each next: all of them over a few. */
  readonly quick: boolean;
  /** As Date.now() has it. */
  readonly deadline: number;
  /** The same for the first call on each line. */
  readonly end: number;
}

/** One fault: what sets it up, and whether an error is that of this fault. */
interface Case {
  readonly name: string;
  arm(): () => void;
  /** Whether it came to the fault: a process that takes its time is asked more or less often. */
  isMade?(): boolean;
  /** The fault is that one thing cannot be removed: it is left, until the container is. */
  readonly removes?: boolean;
  /** The fault says that something is gone that is there: who deletes may believe it. */
  readonly lies?: boolean;
  /** What a call fails with. */
  readonly errno?: ErrnoName | undefined;
  /** Another fault hits what the first leads to: what is left then goes with the container. */
  readonly twice?: boolean;
  /** @returns what is wrong with how it ended */
  judge(error: unknown): string | undefined;
}

export class Survey {
  readonly #scenario: Scenario;
  readonly #options: SurveyOptions;
  readonly #leftovers: Leftovers;

  private constructor(scenario: Scenario, options: SurveyOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#leftovers = new Leftovers(options.box);
  }

  /** The scenario has to work: twice, as the first time makes what the image lacks, and its plan is not that of later ones. */
  static async of(scenario: Scenario, options: SurveyOptions): Promise<Survey> {
    const survey = new Survey(scenario, options);
    for (let round = 0; round < 2; round++) {
      await survey.#clean(() => () => {});
    }
    return survey;
  }

  /** Every step of every plan that is made fails with every errno, and is where its init is killed. */
  async steps(): Promise<void> {
    const plans: Plan[] = [];
    await this.#clean(() => interceptPlans((plan) => (plans.push(plan), plan)));
    let rotation = 0;
    for (const [spawned, plan] of plans.entries()) {
      let mapped = false;
      for (const { node, number, depth } of walk(plan)) {
        const ways: Failure[] = mapped ? [...failures(node), "killed"] : ["killed"];
        for (const how of this.#some(ways, rotation++, tolerated(node))) {
          if (!this.#hasTime()) continue;
          const fault = { number, how };
          await this.#run(stepCase({ node, depth, mapped, spawned, fault }));
        }
        mapped = true;
      }
    }
  }

  /** Every call of the runtime fails with every errno: first those on lines that none has come through yet. */
  async calls(): Promise<void> {
    const calls: (Call & { readonly sites: readonly Site[] })[] = [];
    const plans: Plan[] = [];
    await this.#clean(() => {
      const undo = interceptPlans((plan) => (plans.push(plan), plan));
      const mend = interceptCalls((call) => (calls.push({ ...call, sites: sitesOfStack() }), undefined));
      return () => [mend, undo].forEach((action) => action());
    });
    const { output = () => "", slow = false, spares = [] } = this.#scenario;
    const answer = { expected: output(), output };

    const known = new Set(this.#options.counts.sites);
    const counts = new Map<string, number>();
    const lines = allSites();
    const numbered = calls.map((call) => {
      const number = (counts.get(call.name) ?? 0) + 1;
      counts.set(call.name, number);
      const isNew = call.sites.some((site) => lines.has(site) && !known.has(site));
      call.sites.forEach((site) => known.add(site));
      return { call, number, isNew };
    });
    const due = this.#options.quick && slow ? numbered.filter(({ isNew }) => isNew) : numbered;
    const inOrder = due.filter(({ call }) => !spares.includes(call.name)).toSorted((a, b) =>
      Number(b.isNew) - Number(a.isNew)
    );
    for (const [index, { call, number, isNew }] of inOrder.entries()) {
      for (const [way, errno] of this.#some(call.errnos, index).entries()) {
        const isDue = isNew && way === 0;
        if (this.#hasTime(isDue)) await this.#callFails({ call, number, errno, plans, answer }, known);
      }
    }
  }

  /** What only comes after a failure, by its line, fails as well. */
  async #callFails(fault: CallFault, known: Set<Site>): Promise<void> {
    const { sites } = this.#options.counts;
    const later: Later[] = [];
    const seen = (call: Call) => {
      const site = sitesOfStack().find((site) => !known.has(site));
      if (site === undefined || this.#scenario.spares?.includes(call.name)) return;
      known.add(site);
      later.push({ call, site });
    };
    await this.#run(callCase(fault, { sites, seen }));
    for (const { call, site } of later) {
      for (const errno of this.#some(call.errnos, later.length)) {
        await this.#run(callCase({ ...fault, second: { name: call.name, site, errno } }, { sites }));
      }
    }
  }

  #some<T>(all: readonly T[], rotation: number, always: readonly T[] = []): readonly T[] {
    if (!this.#options.quick || all.length === 0) return all;
    return [...new Set([all[rotation % all.length]!, ...always])];
  }

  #hasTime(isDue = false): boolean {
    const { counts, deadline, end } = this.#options;
    if (Date.now() < (isDue ? end : deadline)) return true;
    counts.skipped++;
    if (isDue) counts.unreached++;
    return false;
  }

  /** A run without a fault. */
  async #clean(arm: () => () => void): Promise<void> {
    const { error, left } = await this.#once(arm);
    if (error !== undefined) {
      throw new Error(`${this.#scenario.name} fails without a fault`, { cause: error });
    }
    if (left.some((one) => !one.startsWith("descriptors"))) {
      throw new Error(`${this.#scenario.name} leaves ${left.join(", ")} without a fault`);
    }
  }

  async #run(fault: Case): Promise<void> {
    const { name, arm, isMade = () => true, judge, removes = false, lies = false, errno } = fault;
    const { twice = this.#scenario.fails ?? false } = fault;
    const { counts } = this.#options;
    let { error, left } = await this.#once(arm, { lies, twice, errno });
    // Deno makes descriptors of its own when it first needs them: not twice.
    if (left.length > 0 && left.every((one) => one.startsWith("descriptors"))) {
      ({ error, left } = await this.#once(arm, { lies, twice, errno }));
    }
    if (removes) left = left.filter((one) => !/^(?:state of a process:|file) /.test(one));
    if (twice && removes) left = left.slice(1);
    if (isMade()) counts.cases++;
    else counts.missed++;
    const what = `${this.#scenario.name}: ${name}`;
    if (left.length > 0) counts.leaks.push(`${what}: ${left.join(", ")} (${describe(error)})`);
    const problem = isMade() ? judge(error) : undefined;
    if (problem !== undefined) counts.unnamed.push(`${what}: ${problem}: ${describe(error)}`);
  }

  async #once(
    arm: () => () => void,
    { lies = false, twice = false, errno }: Partial<Pick<Case, "lies" | "twice" | "errno">> = {},
  ): Promise<{ readonly error?: unknown; readonly left: readonly string[] }> {
    const { prepare, act, deletes = false, stays = false, holds = false, orphans = false, after, finish } =
      this.#scenario;
    const { box } = this.#options;
    const expected = await prepare?.() ?? {};
    this.#leftovers.settle();
    const disarm = arm();
    let error: unknown;
    try {
      await act();
    } catch (caught) {
      error = caught ?? new Error("nothing was thrown");
    } finally {
      disarm();
    }
    const left = [...await after?.(error, { twice, errno }) ?? []];
    if (twice && error !== undefined) {
      left.push(...this.#end(expected));
      await finish?.();
    } else if (deletes) {
      if (error !== undefined || lies || stays) {
        this.#leftovers.closeNew();
        deleteByForce(box.state, box.id);
      }
      expected.pids?.forEach(tryWait);
    } else {
      if (holds) this.#leftovers.closeNew();
      if (orphans && error !== undefined) left.push(...this.#leftovers.reap(expected));
      if (error !== undefined || expected.ids !== undefined) left.push(...this.#leftovers.find(expected));
      await finish?.();
    }
    left.push(...this.#leftovers.find());
    if (left.length > 0) this.#cleanUp();
    return { left: [...new Set(left)], ...(error !== undefined && { error }) };
  }

  /** What is left of two faults ends with the command, or goes with the container. @returns what does neither */
  #end(expected: Expected): string[] {
    const { box: { state, id } } = this.#options;
    this.#leftovers.closeNew();
    // A container that was there waits for its processes.
    const left = expected.ids === undefined ? [] : this.#leftovers.reap(expected);
    deleteByForce(state, id);
    expected.pids?.forEach(tryWait);
    return [...left, ...this.#leftovers.reap({ beside: expected.beside ?? [] })];
  }

  /** So that the next case does not fail for what this one leaves. */
  #cleanUp(): void {
    const { box } = this.#options;
    for (const pid of this.#leftovers.newChildren()) {
      Deno.kill(pid, "SIGKILL");
      tryWait(pid);
    }
    try {
      deleteByForce(box.state, box.id);
    } catch {
      Deno.removeSync(`${box.state}/${box.id}`, { recursive: true });
    }
    this.#leftovers.removeCgroups();
  }
}

function describe(error: unknown): string {
  return error === undefined
    ? "no error"
    : error instanceof Error
    ? `${error.name}: ${error.message}`
    : `${error}`;
}

function failures(node: Node): readonly ErrnoName[] {
  if (node.kind === "barrier") return ["EPIPE", "EIO"];
  const call = node.kind === "fork" ? "clone3" : node.kind === "attempt" ? node.step.call : node.call;
  return errnosOf(call);
}

function tolerated(node: Node): readonly ErrnoName[] {
  return node.kind === "attempt" ? node.on : [];
}

interface StepFault {
  readonly node: Node;
  readonly depth: number;
  /** The status page is there, by which the init says what failed. */
  readonly mapped: boolean;
  /** Which of the inits that the scenario spawns. */
  readonly spawned: number;
  readonly fault: { readonly number: number; readonly how: Failure };
}

function stepCase({ node, depth, mapped, spawned, fault }: StepFault): Case {
  const { number, how } = fault;
  const reason: Reason = node.kind === "attempt" ? node.step : node;
  const fine = (tolerated(node) as readonly Failure[]).includes(how);
  return {
    name: `step ${number} of plan ${spawned} (${reason.label}) ends in ${how}`,
    arm() {
      let count = 0;
      return interceptPlans((plan) => {
        if (count++ !== spawned) return plan;
        // What this kernel does not lead to is led to.
        return failAt(plan, { number, how, force: depth > 0 });
      });
    },
    judge(error) {
      // What a plan is prepared for may be the end of it all the same, by another step.
      if (fine) return error === undefined || isNamed(error) ? undefined : "not an error of ours";
      if (error === undefined) return "passed over";
      const { message } = error as Error;
      if (!message.includes(`(${JSON.stringify(faultName(number))})`) || !message.includes(reason.label)) {
        return "does not name the step";
      }
      if (how === "killed" || !mapped) {
        return error instanceof StateError && message.includes("the init was killed")
          ? undefined
          : "not that it was killed";
      }
      if (!(error instanceof SyscallError)) return "not a SyscallError";
      // A hook's process is one like the container's, but for who has asked for it.
      const pointer = /^\/hooks\/\w+\/\d+$/.test(error.pointer ?? "") ? reason.pointer : error.pointer;
      const found = [error.errno.name, pointer].join();
      return found === [how, reason.pointer].join() ? undefined : `${found} and not ${how},${reason.pointer}`;
    },
  };
}

/** Has every plan changed on its way to its init. @returns the way back */
export function interceptPlans(transform: (plan: Plan) => Plan): () => void {
  const { spawn } = Init;
  Init.spawn = (plan: Plan, options: InitOptions) => spawn.call(Init, transform(plan), options);
  return () => Init.spawn = spawn;
}

interface CallFault {
  readonly call: Call;
  /** Which of those with its name. */
  readonly number: number;
  readonly errno: ErrnoName;
  /** Then the next call on this line fails too. */
  readonly second?: { readonly name: string; readonly site: Site; readonly errno: ErrnoName };
  /** What the inits do that are spawned when nothing fails. */
  readonly plans: readonly Plan[];
  /** What is printed then, and now. */
  readonly answer: { readonly expected: string; readonly output: () => string };
}

/** A call that was not made when nothing failed. */
interface Later {
  readonly call: Call;
  readonly site: Site;
}

interface Watch {
  /** Lines that a call has failed on. */
  readonly sites: Set<Site>;
  /** Is shown the first calls after the failure. */
  seen?(call: Call): void;
}

/** How many calls are watched that come after a failure: it may be one that is passed over. */
const WATCHED = 50;

function callCase(fault: CallFault, { sites, seen }: Watch): Case {
  const { call: { name }, number, errno, second, plans, answer } = fault;
  const then = second === undefined ? "" : `, then ${second.site} with ${second.errno}`;
  let made: Plan[] = [];
  let since: number | undefined;
  let isOver: boolean;
  return {
    name: `${name} #${number} fails with ${errno}${then}`,
    arm() {
      made = [];
      since = undefined;
      let count = 0;
      isOver = second === undefined;
      const fail = <T>(errno: T): T => {
        sitesOfStack().forEach((site) => sites.add(site));
        return errno;
      };
      const undo = interceptPlans((plan) => (made.push(plan), plan));
      const mend = interceptCalls((call) => {
        if (since === undefined) {
          if (call.name !== name || ++count < number) return undefined;
          since = 0;
          return fail(errno);
        }
        if (++since <= WATCHED) seen?.(call);
        if (isOver || call.name !== second!.name || !sitesOfStack().includes(second!.site)) return undefined;
        isOver = true;
        return fail(second!.errno);
      });
      return () => [mend, undo].forEach((action) => action());
    },
    isMade: () => since !== undefined && isOver,
    removes: [name, second?.name].includes("Deno.removeSync"),
    errno,
    lies: errno === "ENOENT",
    ...second !== undefined && { twice: true },
    judge(error) {
      if (error !== undefined) return isNamed(error) ? undefined : "not an error of ours";
      if (isOfImage(errno)) return undefined;
      // A fact that could not be had is none that may be guessed: the container would be another one.
      if (planText(made) !== planText(plans)) return "another plan";
      return answer.output() === answer.expected ? undefined : `another answer: ${answer.output()}`;
    },
  };
}

/** As a path of the image may be: the plan is made for that, and its steps find out. */
function isOfImage(errno: ErrnoName): boolean {
  return ["EACCES", "ELOOP", "ENOENT"].includes(errno);
}

/** Plans to be compared: in each the directory of an exec has another name, and a sandbox. */
function planText(plans: readonly Plan[]): string {
  const plain = (_: string, value: unknown) => typeof value === "bigint" ? `${value}` : value;
  return JSON.stringify(plans, plain).replaceAll(/\/exec-\w+|sandbox-[\w-]+/g, "");
}

/** What `main.ts` prints as one line. */
function isNamed(error: unknown): boolean {
  const ours = [SyscallError, ConfigError, StateError, UsageError].some((one) => error instanceof one);
  // As Deno.Command's streams have it.
  const isOfStream = error instanceof Deno.errors.BrokenPipe;
  return error instanceof Error && (ours || isOfStream || "code" in error);
}
