/**
 * Where the milliseconds of a run go. The container's own plan notes the time in the memory that it shares with us, before
 * each group of its steps: a system call of a tenth of a microsecond each.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { syscall } from "../linux/libc.ts";
import { type Node, type Plan, type Reason, step } from "../plan/node.ts";
import { STATUS_ADDRESS } from "../plan/status_page.ts";
import type { Config } from "../spec/config.ts";
import type { Container } from "./container.ts";
import { createContainer, type CreateOptions } from "./create.ts";
import { ExecutedProcess } from "./exec.ts";

/** A stretch of time, in milliseconds from the beginning of the run. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  /** A member of config.json, "runtime", or "hako" for what Hako does before and behind. */
  readonly pointer: string;
}

/** linux/time.h */
const CLOCK_MONOTONIC = 1;

/** The times lie in the second half of the status page, behind all slots: as many struct timespec as fit. */
const TIMES_AT = 2048;
const TIME_BYTES = 16;
const MAX_TIMES = 128;

/** Runs the container of `config` to its end, and removes it. Its streams are ours: nobody is at a terminal of its own. */
export async function timeRun({ process, ...rest }: Config, options: CreateOptions): Promise<Span[]> {
  const config: Config = { ...rest, ...process && { process: { ...process, terminal: false } } };
  const watch = new Watch();
  const container = await createContainer(config, { ...options, transform: watch.transform });
  try {
    container.start();
    watch.executed(container.directory);
    await container.wait();
    watch.ended();
  } finally {
    container.delete(true);
  }
  return watch.spans({ planned: "make the cgroup and the plan", removed: "remove the container" });
}

/** Runs another process in a container that runs: the words of a command, otherwise as the container's own process. */
export async function timeExec(container: Container, args: readonly string[]): Promise<Span[]> {
  const { process } = container.readConfig();
  if (process === undefined) throw new StateError(container.id, "the container has no process");
  const watch = new Watch();
  const options = { transform: watch.transform };
  const executed = ExecutedProcess.create(container, { ...process, args, terminal: false }, options);
  let started = false;
  try {
    executed.start();
    started = true;
    watch.executed(executed.directory);
    await executed.wait();
    watch.ended();
  } finally {
    executed.close(started);
  }
  return watch.spans({ planned: "read the state, make the plan", removed: "clean up" });
}

/** The times of one process, from its plan to its end. */
class Watch {
  readonly #began = now();
  #planned = this.#began;
  #executed = this.#began;
  #ended = this.#began;
  #groups: readonly Reason[] = [];
  #times: readonly number[] = [];

  readonly transform = (plan: Plan): Plan => {
    this.#planned = now();
    const timed = withTimes(plan);
    this.#groups = timed.groups;
    return timed.plan;
  };

  /** @param directory with the file of the shared memory */
  executed(directory: string): void {
    this.#executed = now();
    this.#times = readTimes(`${directory}/status`, this.#groups.length);
  }

  ended(): void {
    this.#ended = now();
  }

  /** All until now. @param labels of what is done before and behind */
  spans(labels: { readonly planned: string; readonly removed: string }): Span[] {
    const [times, executed] = [this.#times, this.#executed];
    const hako = (label: string) => ({ label, pointer: "hako" });
    const spans: Span[] = [
      { start: this.#began, end: this.#planned, ...hako(labels.planned) },
      { start: this.#planned, end: times[0] ?? executed, ...hako("encode it, start the init") },
      ...this.#groups.map((reason, index) => ({
        start: times[index]!,
        end: times[index + 1] ?? executed,
        ...reason,
      })),
      { start: executed, end: this.#ended, label: "the program runs", pointer: "/process/args" },
      { start: this.#ended, end: now(), ...hako(labels.removed) },
    ];
    return spans.map((span) => ({ ...span, start: span.start - this.#began, end: span.end - this.#began }));
  }
}

/** Puts a step that notes the time before each group of steps for one member. */
function withTimes(plan: Plan): { readonly plan: Plan; readonly groups: readonly Reason[] } {
  const [map, ...rest] = plan;
  const groups: Reason[] = [];
  // A filter need not allow our call.
  const filter = rest.findIndex((node) => node.kind === "step" && node.call === "seccomp");
  const timed = rest.flatMap((node, index) => {
    const reason = groupOf(node);
    const last = groups.at(-1);
    const same = last?.pointer === reason.pointer &&
      (reason.pointer !== "runtime" || last.label === reason.label);
    if (same || groups.length === MAX_TIMES || filter !== -1 && index > filter) return [node];
    groups.push(reason);
    const address = STATUS_ADDRESS + TIMES_AT + TIME_BYTES * (groups.length - 1);
    return [
      step({ label: "note the time", pointer: "runtime" }, "clock_gettime", [CLOCK_MONOTONIC, address]),
      node,
    ];
  });
  // The first step maps the memory.
  return { plan: [map!, ...timed], groups };
}

/** All options of a mount, and all paths of a list, are one. */
function groupOf(node: Node): Reason {
  const { label, pointer } = node.kind === "attempt" ? node.step : node;
  if (node.kind === "barrier") return { label: `barrier ${node.name}: ${label}`, pointer: "runtime" };
  const [, first = "", second, third] = pointer.split("/");
  if (pointer === "runtime") return { label, pointer };
  if (first === "linux" && /Paths$|^devices$/.test(second ?? "")) {
    return { label: `all of ${second}`, pointer: `/linux/${second}` };
  }
  const parts = first === "mounts" ? [first, second] : [first, second, third];
  return { label, pointer: `/${parts.filter((part) => part !== undefined).join("/")}` };
}

function readTimes(path: string, count: number): number[] {
  const view = new DataView(Deno.readFileSync(path).buffer);
  return Array.from({ length: count }, (_, index) => milliseconds(view, TIMES_AT + TIME_BYTES * index));
}

function now(): number {
  const time = new Uint8Array(TIME_BYTES);
  syscall("clock_gettime", [CLOCK_MONOTONIC, time]);
  return milliseconds(new DataView(time.buffer), 0);
}

function milliseconds(view: DataView, offset: number): number {
  return Number(view.getBigInt64(offset, true)) * 1000 + Number(view.getBigInt64(offset + 8, true)) / 1e6;
}

/** The spans as text: from when, how long, what. */
export function formatSpans(spans: readonly Span[]): string {
  const total = spans.at(-1)!.end;
  const rows = spans.map(({ start, end, label, pointer }) => {
    const bar = "#".repeat(Math.round((end - start) / total * 20));
    const text = label.length > 58 ? `${label.slice(0, 57)}…` : label;
    return `${ms(start)} ${ms(end - start)}  ${bar.padEnd(20)}  ${text.padEnd(58)}  ${pointer}\n`;
  });
  return `   at ms  for ms\n${rows.join("")}${ms(total)}\n`;
}

function ms(value: number): string {
  return value.toFixed(3).padStart(8);
}

const [LEFT, TOP, WIDTH, ROW] = [330, 46, 560, 16];

/** Who is at work in a span, and the color of that. */
const COLORS = { hako: "#9aa5b1", init: "#2f6f4f", barrier: "#d9a441" } as const;
const LEGEND: Readonly<Record<keyof typeof COLORS, string>> = {
  hako: "hako",
  init: "the container's process",
  barrier: "the container's process waits for hako",
};

/** The same as a picture: a bar for each span, below and right of the one before it. */
export function drawSpans(spans: readonly Span[]): string {
  const total = spans.at(-1)!.end;
  const bottom = TOP + ROW * spans.length;
  const x = (time: number) => Number((LEFT + time / total * WIDTH).toFixed(1));
  const parts = Object.entries(LEGEND).flatMap(([who, text], index) => {
    const left = LEFT + 90 * index + (index === 2 ? 70 : 0);
    return [
      `<rect x="${left}" y="10" width="10" height="10" fill="${COLORS[who as keyof typeof COLORS]}"/>`,
      `<text x="${left + 15}" y="19">${escape(text)}</text>`,
    ];
  });
  for (const time of ticks(total)) {
    parts.push(
      `<path d="M${x(time)} ${TOP - 6}V${bottom}" stroke="#e4e7eb"/>`,
      `<text x="${x(time)}" y="${TOP - 9}" text-anchor="middle" fill="#666">${time} ms</text>`,
    );
  }
  spans.forEach((span, index) => {
    const { start, end, label, pointer } = span;
    const y = TOP + ROW * index;
    const text = label.length > 52 ? `${label.slice(0, 51)}…` : label;
    const width = Math.max(0.5, x(end) - x(start)).toFixed(1);
    parts.push(
      `<g><title>${escape(`${label} (${pointer})`)}</title>` +
        `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escape(text)}</text>` +
        `<rect x="${x(start)}" y="${y + 2}" width="${width}" height="${ROW - 4}" fill="${
          COLORS[whoIn(span)]
        }"/>` +
        `<text x="${x(end) + 4}" y="${y + 12}">${(end - start).toFixed(2)}</text></g>`,
    );
  });
  const size = `width="${LEFT + WIDTH + 60}" height="${bottom + 10}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`;
}

function whoIn({ label, pointer }: Span): keyof typeof COLORS {
  if (pointer === "hako") return "hako";
  return label.startsWith("barrier ") ? "barrier" : "init";
}

/** Round numbers of milliseconds from 0 to `total`, between five and ten of them. */
function ticks(total: number): number[] {
  const power = 10 ** Math.floor(Math.log10(total));
  const step = power * (total / power >= 5 ? 1 : total / power >= 2 ? 0.5 : 0.2);
  return Array.from(
    { length: Math.floor(total / step) + 1 },
    (_, index) => Number((index * step).toPrecision(3)),
  );
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
