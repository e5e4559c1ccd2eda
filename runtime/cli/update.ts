/** `hako update`: change the limits of a container. @module */

import { Container } from "../container/container.ts";
import { updateResctrl } from "../container/intel_rdt.ts";
import { stateRoot } from "../container/state.ts";
import { StateError, UsageError } from "../errors.ts";
import { log } from "../log.ts";
import type { Resources } from "../spec/config.ts";
import { parseResources, validateResources } from "../spec/parse.ts";
import { defineCommand } from "./command.ts";
import { readFileOrStdin } from "./file_or_stdin.ts";
import type { Options, Values } from "./options.ts";

const number = (help: string) => ({ type: "text", value: "N", help }) as const;
const bytes = (help: string) => ({ type: "text", value: "BYTES", help }) as const;

const updateOptions = {
  resources: {
    type: "text",
    short: "r",
    value: "FILE",
    complete: "file",
    help: "read /linux/resources from FILE, - is stdin; other options are ignored",
  },
  "blkio-weight": number("weight of block I/O, 10 to 1000"),
  "cpu-period": number("period of --cpu-quota in microseconds"),
  "cpu-quota": number("CPU time in a period, in microseconds; -1: no limit"),
  "cpu-burst": number("unused quota that may be saved up, in microseconds"),
  "cpu-share": number("weight of CPU time"),
  "cpu-rt-period": number("period of --cpu-rt-runtime in microseconds"),
  "cpu-rt-runtime": number("realtime CPU time in a period, in microseconds"),
  "cpu-idle": number("1: run only when nothing else wants to"),
  "cpuset-cpus": { type: "text", value: "LIST", help: "CPUs to use" },
  "cpuset-mems": { type: "text", value: "LIST", help: "NUMA nodes to use" },
  memory: bytes("memory limit; -1: none"),
  "memory-reservation": bytes("soft memory limit"),
  "memory-swap": bytes("limit of memory and swap together; -1: none"),
  "kernel-memory": bytes("accepted and without effect: gone from the kernel"),
  "kernel-memory-tcp": bytes("limit of TCP buffers (cgroup v1)"),
  "pids-limit": number("number of tasks; -1: no limit"),
  "l3-cache-schema": {
    type: "text",
    value: "LINE",
    help: "schema of the L3 cache, as /linux/intelRdt has it",
  },
  "mem-bw-schema": { type: "text", value: "LINE", help: "schema of memory bandwidth, likewise" },
} as const satisfies Options;

export const update = defineCommand({
  name: "update",
  summary: "change the limits of a container",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: updateOptions,
  action({ args: [id], options, global }) {
    const resources = options.resources === undefined
      ? fromOptions(options)
      : parseResources(readFileOrStdin(options.resources));
    const container = Container.loadLocked(stateRoot(global.root), id);
    updateIntelRdt(container, options);
    container.update(resources).forEach((warning) => log.warn(warning));
    return 0;
  },
});

function updateIntelRdt({ id, state }: Container, options: Values<typeof updateOptions>): void {
  const { "l3-cache-schema": l3CacheSchema, "mem-bw-schema": memBwSchema } = options;
  if (!l3CacheSchema && !memBwSchema) return;
  if (state.resctrl === undefined) {
    throw new StateError(id, "its class of service cannot be changed: its config has no /linux/intelRdt");
  }
  updateResctrl(state.resctrl, {
    ...(l3CacheSchema && { l3CacheSchema }),
    ...(memBwSchema && { memBwSchema }),
  });
}

function fromOptions(options: Values<typeof updateOptions>): Resources {
  const size = (name: keyof typeof updateOptions) => parse(name, options[name], parseSize);
  const count = (name: keyof typeof updateOptions) => parse(name, options[name], parseNumber);
  return validateResources(
    defined({
      blockIO: defined({ weight: count("blkio-weight") }),
      cpu: defined({
        period: count("cpu-period"),
        quota: count("cpu-quota"),
        burst: count("cpu-burst"),
        shares: count("cpu-share"),
        realtimePeriod: count("cpu-rt-period"),
        realtimeRuntime: count("cpu-rt-runtime"),
        idle: count("cpu-idle"),
        cpus: options["cpuset-cpus"],
        mems: options["cpuset-mems"],
      }),
      memory: defined({
        limit: size("memory"),
        reservation: size("memory-reservation"),
        swap: size("memory-swap"),
        kernelTCP: size("kernel-memory-tcp"),
      }),
      pids: defined({ limit: count("pids-limit") }),
    }) ?? {},
  );
}

/** Without the members that are undefined; nothing if none is left. */
function defined(object: Record<string, unknown>): Record<string, unknown> | undefined {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function parse(name: string, text: string | undefined, parser: (text: string) => number | undefined) {
  if (text === undefined || text === "") return undefined;
  const value = parser(text);
  if (value === undefined) throw new UsageError(`invalid value for --${name}: "${text}"`);
  return value;
}

function parseNumber(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** "512m", "1GiB", "1024" or "-1": units.RAMInBytes of runc. */
function parseSize(text: string): number | undefined {
  const match = /^(-1|\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (match === null) return undefined;
  const power = " kmgtp".indexOf(match[2]!.toLowerCase() || " ");
  return Number(match[1]) < 0 ? -1 : Math.floor(Number(match[1]) * 1024 ** power);
}
