/**
 * What resctrl says of a container's groups, in the shape of `runc events`.
 *
 * @see https://docs.kernel.org/filesystems/resctrl.html, https://github.com/opencontainers/runc/blob/main/types/events.go
 * @module
 */
import { parseInteger } from "../../cgroups/stats.ts";
import type { Integer } from "../spec/json.ts";
import type { ResctrlGroups } from "./intel_rdt.ts";

/** The member `intel_rdt` of the statistics. What the machine does not have is absent. */
export interface IntelRdtStats {
  readonly l3_cache_info?: {
    readonly cbm_mask: string;
    readonly min_cbm_bits: Integer;
    readonly num_closids: Integer;
  };
  /** The line of the root class. */
  readonly l3_cache_schema_root?: string;
  /** The line of the container's class. */
  readonly l3_cache_schema?: string;
  readonly mem_bw_info?: {
    readonly bandwidth_gran: Integer;
    readonly delay_linear: Integer;
    readonly min_bandwidth: Integer;
    readonly num_closids: Integer;
  };
  readonly mem_bw_schema_root?: string;
  readonly mem_bw_schema?: string;
  /** All lines of the container's class. */
  readonly schemata: readonly string[];
  /** Bytes since the group was made, by NUMA node. */
  readonly mbm_stats?: readonly { readonly mbm_total_bytes: Integer; readonly mbm_local_bytes: Integer }[];
  /** Bytes of the cache in use, by NUMA node. */
  readonly cmt_stats?: readonly { readonly llc_occupancy: Integer }[];
}

/** Of the container's monitoring group if it has one, else of its class of service, which it may share with others. */
export function readResctrlStats({ paths }: ResctrlGroups): IntelRdtStats {
  const [group = "", monitor = group] = paths;
  // Only the root has it, which is a class of service as well.
  const root = isThere(`${group}/info`) ? group : group.slice(0, group.lastIndexOf("/"));
  const lines = schemataOf(group);
  const rootLines = schemataOf(root);
  const line = (lines: readonly string[], resource: string) =>
    lines.find((line) => line.startsWith(`${resource}:`));
  const [cache, bandwidth] = [`${root}/info/L3`, `${root}/info/MB`];
  const features = isThere(`${root}/info/L3_MON`)
    ? read(`${root}/info/L3_MON/mon_features`).split("\n").map((name) => name.trim())
    : [];
  const counters = (names: readonly string[]) => names.some((name) => features.includes(name));
  const nodes = features.length > 0 ? nodesOf(`${monitor}/mon_data`) : [];
  const counter = (node: string, name: string) => features.includes(name) ? number(`${node}/${name}`) : 0;
  return {
    ...isThere(cache) && {
      l3_cache_info: {
        cbm_mask: read(`${cache}/cbm_mask`),
        min_cbm_bits: number(`${cache}/min_cbm_bits`),
        num_closids: number(`${cache}/num_closids`),
      },
      l3_cache_schema_root: line(rootLines, "L3"),
      l3_cache_schema: line(lines, "L3"),
    },
    ...isThere(bandwidth) && {
      mem_bw_info: {
        bandwidth_gran: number(`${bandwidth}/bandwidth_gran`),
        delay_linear: number(`${bandwidth}/delay_linear`),
        min_bandwidth: number(`${bandwidth}/min_bandwidth`),
        num_closids: number(`${bandwidth}/num_closids`),
      },
      mem_bw_schema_root: line(rootLines, "MB"),
      mem_bw_schema: line(lines, "MB"),
    },
    schemata: lines,
    ...counters(["mbm_total_bytes", "mbm_local_bytes"]) && {
      mbm_stats: nodes.map((node) => ({
        mbm_total_bytes: counter(node, "mbm_total_bytes"),
        mbm_local_bytes: counter(node, "mbm_local_bytes"),
      })),
    },
    ...counters(["llc_occupancy"]) && {
      cmt_stats: nodes.map((node) => ({ llc_occupancy: counter(node, "llc_occupancy") })),
    },
  };
}

function schemataOf(group: string): string[] {
  return read(`${group}/schemata`).split("\n").map((line) => line.trim());
}

function nodesOf(directory: string): string[] {
  return [...Deno.readDirSync(directory)].filter((entry) => entry.isDirectory)
    .map(({ name }) => `${directory}/${name}`).sort();
}

function read(path: string): string {
  return Deno.readTextFileSync(path).trim();
}

/** The kernel writes "Unavailable" or "Error" for a counter that it cannot read just now. */
function number(path: string): Integer {
  const text = read(path);
  return /^\d+$/.test(text) ? parseInteger(text) : 0;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
