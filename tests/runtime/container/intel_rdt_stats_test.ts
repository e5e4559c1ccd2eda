/** What `events` says of intelRdt, over a directory with the files of resctrl. */

import { assertEquals } from "@std/assert";
import { readResctrlStats } from "../../../runtime/container/intel_rdt_stats.ts";

const L3 = { "info/L3/cbm_mask": "7ff", "info/L3/min_cbm_bits": "1", "info/L3/num_closids": "16" };
const MB = {
  "info/MB/bandwidth_gran": "10",
  "info/MB/delay_linear": "1",
  "info/MB/min_bandwidth": "10",
  "info/MB/num_closids": "8",
};
const MONITORING = { "info/L3_MON/mon_features": "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes" };
const ROOT = { schemata: "    L3:0=7ff;1=7ff\n    MB:0=100;1=100", "info/last_cmd_status": "ok" };

function counters(group: string, first: number): Record<string, string> {
  return Object.fromEntries(
    ["mon_L3_00", "mon_L3_01"].flatMap((node, index) =>
      ["llc_occupancy", "mbm_total_bytes", "mbm_local_bytes"].map((name, which) => [
        `${group}/mon_data/${node}/${name}`,
        `${first + 10 * index + which}`,
      ])
    ),
  );
}

function withFiles(files: Readonly<Record<string, string>>, use: (root: string) => void): void {
  const root = Deno.makeTempDirSync();
  try {
    for (const [name, text] of Object.entries(files)) {
      Deno.mkdirSync(`${root}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(`${root}/${name}`, `${text}\n`);
    }
    use(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("cache, bandwidth and counters are those of the container's class and of its monitoring group", () => {
  const files = {
    ...ROOT,
    ...L3,
    ...MB,
    ...MONITORING,
    "web/schemata": "    L3:0=00f;1=00f\n    MB:0= 50;1=100",
    ...counters("web", 1),
    ...counters("web/mon_groups/web", 100),
  };
  withFiles(files, (root) => {
    assertEquals(readResctrlStats({ paths: [`${root}/web`, `${root}/web/mon_groups/web`], own: [] }), {
      l3_cache_info: { cbm_mask: "7ff", min_cbm_bits: 1, num_closids: 16 },
      l3_cache_schema_root: "L3:0=7ff;1=7ff",
      l3_cache_schema: "L3:0=00f;1=00f",
      mem_bw_info: { bandwidth_gran: 10, delay_linear: 1, min_bandwidth: 10, num_closids: 8 },
      mem_bw_schema_root: "MB:0=100;1=100",
      mem_bw_schema: "MB:0= 50;1=100",
      schemata: ["L3:0=00f;1=00f", "MB:0= 50;1=100"],
      mbm_stats: [{ mbm_total_bytes: 101, mbm_local_bytes: 102 }, {
        mbm_total_bytes: 111,
        mbm_local_bytes: 112,
      }],
      cmt_stats: [{ llc_occupancy: 100 }, { llc_occupancy: 110 }],
    });
    assertEquals(readResctrlStats({ paths: [`${root}/web`], own: [] }).cmt_stats, [
      { llc_occupancy: 1 },
      { llc_occupancy: 11 },
    ]);
  });
});

Deno.test("what the machine does not have is absent, and a counter that cannot be read is 0", () => {
  withFiles({ ...ROOT, schemata: "L2:0=f" }, (root) => {
    assertEquals(readResctrlStats({ paths: [root], own: [] }), { schemata: ["L2:0=f"] });
  });
  const files = {
    ...ROOT,
    "info/L3_MON/mon_features": "mbm_local_bytes",
    "mon_data/mon_L3_00/mbm_local_bytes": "Unavailable",
  };
  withFiles(files, (root) => {
    const { mbm_stats, cmt_stats } = readResctrlStats({ paths: [root], own: [] });
    assertEquals([mbm_stats, cmt_stats], [[{ mbm_total_bytes: 0, mbm_local_bytes: 0 }], undefined]);
  });
});
