/** What is left of a container, found fast enough to look after each of thousands of faults. @module */
import { locateCgroup } from "../../cgroups/mod.ts";
import { close } from "../../runtime/linux/files.ts";
import { endsWithin, pidfdOpen, wait } from "../../runtime/linux/processes.ts";
import { exists } from "../support/files.ts";
import type { Box } from "../support/fixture.ts";

/** What there may be: a container that is not part of the case. */
export interface Expected {
  readonly ids?: readonly string[];
  readonly pids?: readonly number[];
  /** Children of ours that are no part of any. */
  readonly beside?: readonly number[];
}

/** How long a process may take to end that has nobody to wait for. */
const END_MILLISECONDS = 5000;

/** Counts descriptors once, locks among them, and compares from then on. */
export class Leftovers {
  readonly #box: Box;
  readonly #cgroups: readonly string[];
  /** What they need around them. */
  readonly #children = children();
  #descriptors: readonly string[] = [];

  constructor(box: Box) {
    this.#box = box;
    this.#cgroups = [
      ...new Set(Object.values(locateCgroup({ id: box.id, cgroupsPath: `/${box.id}` }).paths)),
    ];
  }

  /** Takes what is open now for what belongs there. */
  settle(): void {
    this.#descriptors = descriptors();
  }

  newChildren(): number[] {
    return children().filter((pid) => !this.#children.includes(pid));
  }

  /** As another parent would do: what should end by itself ends, and so does what it forks. @returns what does not */
  reap({ pids = [], beside = [] }: Expected): string[] {
    const next = () => this.newChildren().find((pid) => ![...pids, ...beside].includes(pid));
    for (let pid = next(); pid !== undefined; pid = next()) {
      const pidfd = pidfdOpen(pid);
      try {
        if (!endsWithin(pidfd, END_MILLISECONDS)) return [`process ${pid} ${comm(pid)}, which does not end`];
      } finally {
        close(pidfd);
      }
      wait(pid);
    }
    return [];
  }

  removeCgroups(): void {
    for (const path of this.#cgroups.filter(exists)) Deno.removeSync(path);
  }

  /** As the end of a command that has failed does. */
  closeNew(): void {
    closeOthers(this.#descriptors);
  }

  /** One line for each thing that should not be there. Processes that are dead and not waited for are such things. */
  find({ ids = [], pids = [], beside = [] }: Expected = {}): string[] {
    const open = descriptors();
    const more = open.length > this.#descriptors.length
      ? open.filter((target) => !this.#descriptors.includes(target))
      : [];
    return [
      ...this.newChildren().filter((pid) => ![...pids, ...beside].includes(pid)).map((pid) =>
        `process ${pid} ${comm(pid)}`
      ),
      ...names(this.#box.state).filter((name) => !ids.includes(name)).map((name) => `state of ${name}`),
      ...ids.flatMap((id) => names(`${this.#box.state}/${id}`)).filter((name) => /^(exec-|hook)/.test(name))
        .map((name) => `state of a process: ${name}`),
      ...ids.length > 0 ? [] : this.#cgroups.filter(exists).map((path) => `cgroup ${path}`),
      ...mounts().filter((line) => line.includes(this.#box.id)).map((line) => `mount ${line}`),
      ...open.length > this.#descriptors.length ? [`descriptors: ${more.join() || "one twice"}`] : [],
    ];
  }
}

/** What the end of a command does with all that is open and is not `known`, but for our standard streams. */
export function closeOthers(known: readonly string[]): void {
  const ours = descriptors().filter((one) =>
    !known.includes(one) && !/^[012] |anon_inode:\[event|deno$/.test(one)
  );
  ours.forEach((one) => close(Number(one.split(" ")[0])));
}

/** Closes all that leads to `target`, by the links of /proc. */
export function closeLinksTo(target: string): void {
  for (const one of descriptors()) {
    const [fd, ...link] = one.split(" ");
    if (link.join(" ") === target) close(Number(fd));
  }
}

/** Ours, those included that others have left to us: a test that runs containers is their subreaper. */
export function children(): number[] {
  return childrenOf("self");
}

export function childrenOf(pid: number | "self"): number[] {
  return names(`/proc/${pid}/task`).flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(" "))
    .filter((child) => child !== "").map(Number);
}

/** What is open. BPF programs are among them: ours live by a descriptor, or by a cgroup. */
export function descriptors(): string[] {
  return names("/proc/self/fd").map((fd) => {
    try {
      return `${fd} ${Deno.readLinkSync(`/proc/self/fd/${fd}`)}`;
    } catch {
      return ""; // The one that reads the directory.
    }
  }).filter((target) => target !== "");
}

function mounts(): string[] {
  return read("/proc/self/mountinfo").split("\n");
}

function comm(pid: number): string {
  return (/^State:.*$/m.exec(read(`/proc/${pid}/status`))?.[0] ?? "") + " " +
    read(`/proc/${pid}/comm`).trim();
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}
