/**
 * Where the milliseconds of a run go. The container's own plan notes the time in the memory that it shares with us, before
 * each group of its steps: a system call of a tenth of a microsecond each.
 *
 * @module
 */
import { syscall } from "../linux/libc.ts";
import { type Node, type Plan, type Reason, step } from "../plan/node.ts";
import { STATUS_ADDRESS } from "../plan/status_page.ts";
import type { Config } from "../spec/config.ts";
import { createContainer, type CreateOptions } from "./create.ts";

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
  const began = now();
  let groups: readonly Reason[] = [];
  let planned = began;
  const container = await createContainer(config, {
    ...options,
    transform(plan) {
      planned = now();
      const timed = withTimes(plan);
      groups = timed.groups;
      return timed.plan;
    },
  });
  try {
    container.start();
    const executed = now();
    const times = readTimes(`${container.directory}/status`, groups.length);
    await container.wait();
    const ended = now();
    container.delete(true);
    const spans: Span[] = [{
      start: began,
      end: planned,
      label: "make the cgroup and the plan",
      pointer: "hako",
    }];
    spans.push({
      start: planned,
      end: times[0] ?? executed,
      label: "encode it, start the init",
      pointer: "hako",
    });
    groups.forEach((reason, index) =>
      spans.push({ start: times[index]!, end: times[index + 1] ?? executed, ...reason })
    );
    spans.push({ start: executed, end: ended, label: "the program runs", pointer: "/process/args" });
    spans.push({ start: ended, end: now(), label: "remove the container", pointer: "hako" });
    return spans.map((span) => ({ ...span, start: span.start - began, end: span.end - began }));
  } catch (error) {
    container.delete(true);
    throw error;
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

const [LEFT, WIDTH, ROW] = [330, 560, 16];

/** The same as a picture: a bar for each span, below and right of the one before it. */
export function drawSpans(spans: readonly Span[]): string {
  const total = spans.at(-1)!.end;
  const x = (time: number) => (LEFT + time / total * WIDTH).toFixed(1);
  const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const rows = spans.map(({ start, end, label, pointer }, index) => {
    const y = 10 + ROW * index;
    const color = pointer === "hako" ? "#9aa5b1" : label.startsWith("barrier") ? "#d9a441" : "#2f6f4f";
    const width = Math.max(0.5, Number(x(end)) - Number(x(start))).toFixed(1);
    return `<g><title>${escape(`${label} (${pointer})`)}</title>` +
      `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escape(label.slice(0, 52))}</text>` +
      `<rect x="${x(start)}" y="${y + 2}" width="${width}" height="${ROW - 4}" fill="${color}"/>` +
      `<text x="${Number(x(end)) + 4}" y="${y + 12}">${(end - start).toFixed(2)}</text></g>`;
  });
  const size = `width="${LEFT + WIDTH + 60}" height="${20 + ROW * spans.length}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${rows.join("\n")}\n</svg>\n`;
}
