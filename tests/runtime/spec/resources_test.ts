import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { parseResources, validateResources } from "../../../runtime/spec/parse.ts";
import { type Change, testAccepted, testRefused } from "./cases.ts";

const R = "/linux/resources";
const deviceRule = (change: Record<string, unknown>): Change => ({
  [`${R}/devices`]: [{ allow: true, ...change }],
});

testRefused("resources", [
  [{ [R]: [] }, R, "must be an object"],
  [deviceRule({ allow: undefined }), `${R}/devices/0/allow`, "is missing"],
  [deviceRule({ allow: 1 }), `${R}/devices/0/allow`, "must be true or false"],
  [deviceRule({ type: "u" }), `${R}/devices/0/type`, 'must be one of "a", "b", "c"'],
  [deviceRule({ major: -2 }), `${R}/devices/0/major`, "from -1 to 4294967295"],
  [deviceRule({ minor: "*" }), `${R}/devices/0/minor`, 'not "*"'],
  [
    deviceRule({ access: "rx" }),
    `${R}/devices/0/access`,
    'must be of the letters "r", "w" and "m", not "rx"',
  ],
  ...["limit", "reservation", "swap", "kernel", "kernelTCP"].flatMap((name) =>
    [
      [{ [`${R}/memory/${name}`]: "1G" }, `${R}/memory/${name}`, "must be an integer"],
      [
        { [`${R}/memory/${name}`]: 2n ** 63n },
        `${R}/memory/${name}`,
        "to 9223372036854775807, not 9223372036854775808",
      ],
      [{ [`${R}/memory/${name}`]: 2 ** 60 }, `${R}/memory/${name}`, "must be an integer"],
    ] as const
  ),
  [{ [`${R}/memory/swappiness`]: -1 }, `${R}/memory/swappiness`, "from 0 to 18446744073709551615"],
  ...["disableOOMKiller", "useHierarchy", "checkBeforeUpdate"].map((name) =>
    [{ [`${R}/memory/${name}`]: 0 }, `${R}/memory/${name}`, "must be true or false"] as const
  ),
  ...["shares", "burst", "period", "realtimePeriod"].map((name) =>
    [{ [`${R}/cpu/${name}`]: -1 }, `${R}/cpu/${name}`, "from 0 to 18446744073709551615, not -1"] as const
  ),
  ...["quota", "realtimeRuntime", "idle"].map((name) =>
    [
      { [`${R}/cpu/${name}`]: 0.5 },
      `${R}/cpu/${name}`,
      "from -9223372036854775808 to 9223372036854775807",
    ] as const
  ),
  [{ [`${R}/cpu/cpus`]: 1 }, `${R}/cpu/cpus`, "must be a string"],
  [{ [`${R}/cpu/mems`]: ["0"] }, `${R}/cpu/mems`, "must be a string"],
  [{ [`${R}/pids/limit`]: "max" }, `${R}/pids/limit`, 'not "max"'],
  [{ [`${R}/blockIO/weight`]: 65536 }, `${R}/blockIO/weight`, "from 0 to 65535"],
  [{ [`${R}/blockIO/leafWeight`]: -1 }, `${R}/blockIO/leafWeight`, "from 0 to 65535"],
  [
    { [`${R}/blockIO/weightDevice`]: [{ major: 8, minor: 0 }] },
    `${R}/blockIO/weightDevice/0`,
    "must have weight or leafWeight",
  ],
  [
    { [`${R}/blockIO/weightDevice`]: [{ major: 8, weight: 10 }] },
    `${R}/blockIO/weightDevice/0/minor`,
    "is missing",
  ],
  ...["ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS"].map((name) =>
    [
      { [`${R}/blockIO/throttle${name}Device`]: [{ major: 8, minor: 0 }] },
      `${R}/blockIO/throttle${name}Device/0/rate`,
      "is missing",
    ] as const
  ),
  [{ [`${R}/hugepageLimits`]: [{ pageSize: "2MB" }] }, `${R}/hugepageLimits/0/limit`, "is missing"],
  ...["2", "2mb", "2MiB", "02MB", "../2MB", "MB"].map((pageSize) =>
    [
      { [`${R}/hugepageLimits`]: [{ pageSize, limit: 0 }] },
      `${R}/hugepageLimits/0/pageSize`,
      'must be as "2MB"',
    ] as const
  ),
  [{ [`${R}/network/classID`]: 2 ** 32 }, `${R}/network/classID`, "from 0 to 4294967295"],
  [{ [`${R}/network/priorities`]: [{ name: "eth0" }] }, `${R}/network/priorities/0/priority`, "is missing"],
  [{ [`${R}/network/priorities`]: [{ priority: 1 }] }, `${R}/network/priorities/0/name`, "is missing"],
  [{ [`${R}/rdma/mlx5_1`]: {} }, `${R}/rdma/mlx5_1`, "must have hcaHandles or hcaObjects"],
  [{ [`${R}/rdma/mlx5_1`]: { hcaHandles: -1 } }, `${R}/rdma/mlx5_1/hcaHandles`, "from 0 to 4294967295"],
  [{ [`${R}/unified`]: { "io.max": 1 } }, `${R}/unified/io.max`, "must be a string"],
  ...["", "io", "..", ".max", "io."].map((name) =>
    [
      { [`${R}/unified`]: { [name]: "1" } },
      `${R}/unified/${name}`,
      'must be named "controller.file"',
    ] as const
  ),
  [{ [`${R}/unified`]: { "../io.max": "1" } }, `${R}/unified/..~1io.max`, 'must be named "controller.file"'],
]);

testAccepted("resources", [
  { [R]: null },
  { [R]: { devices: [], memory: {}, cpu: null, pids: {}, blockIO: {}, hugepageLimits: null, unified: null } },
  deviceRule({ type: "", major: -1, minor: 7, access: "" }),
  deviceRule({ type: "a", access: "rwm" }),
  { [`${R}/memory`]: { limit: -1, swap: 9223372036854771712n, swappiness: 2n ** 64n - 1n } },
  { [`${R}/cpu`]: { shares: 0, quota: -1, period: 100000, cpus: "0-3", mems: "0", idle: 1 } },
  { [`${R}/pids/limit`]: 0 },
  { [`${R}/blockIO/weightDevice`]: [{ major: 8, minor: 0, leafWeight: 10 }] },
  { [`${R}/blockIO/throttleReadBpsDevice`]: [{ major: 8, minor: 0, rate: 2n ** 63n }] },
  { [`${R}/hugepageLimits`]: [{ pageSize: "1GB", limit: 0 }, { pageSize: "64KB", limit: 1 }] },
  { [`${R}/rdma`]: { mlx5_1: { hcaHandles: 3 }, rxe3: { hcaObjects: 10000 } } },
  { [`${R}/unified`]: { "io.max": "259:0 rbps=1\n", "hugetlb.1GB.max": "0", "memory.high": "" } },
]);

Deno.test("resources of their own are shown as those of config.json", () => {
  const error = assertThrows(() => validateResources({ pids: { limit: "a" } }), ConfigError);
  assertEquals(error.pointer, `${R}/pids/limit`);
  assertEquals(
    parseResources('{"memory":{"limit":9223372036854771712}}').memory?.limit,
    9223372036854771712n,
  );
});
