/** All controllers. @module */
import type { Controller } from "./controller.ts";
import { blkio } from "./v1/blkio.ts";
import { cpu as cpuV1 } from "./v1/cpu.ts";
import { cpuacct } from "./v1/cpuacct.ts";
import { cpuset as cpusetV1 } from "./v1/cpuset.ts";
import { devices as devicesV1 } from "./v1/devices.ts";
import { hugetlb as hugetlbV1 } from "./v1/hugetlb.ts";
import { memory as memoryV1 } from "./v1/memory.ts";
import { netCls } from "./v1/net_cls.ts";
import { netPrio } from "./v1/net_prio.ts";
import { cpu } from "./v2/cpu.ts";
import { cpuset } from "./v2/cpuset.ts";
import { devices } from "./v2/devices.ts";
import { hugetlb } from "./v2/hugetlb.ts";
import { io } from "./v2/io.ts";
import { memory } from "./v2/memory.ts";
import { netCls as netClsV2, netPrio as netPrioV2 } from "./v2/network.ts";
import { pids } from "./v2/pids.ts";
import { pressure } from "./v2/pressure.ts";
import { rdma } from "./v2/rdma.ts";
import { unified } from "./v2/unified.ts";

/** What serves a part of `/linux/resources` in either version. A machine has each controller in one of them at a time. */
export interface Versions {
  readonly v1?: Controller;
  readonly v2?: Controller;
  /** With v2 there is nothing like it, and `v2` says only that. Beside v1 it is one of v1 that is not mounted. */
  readonly gone?: true;
}

/** In the order in which they are set. `unified` has the last word. */
export const CONTROLLERS: readonly Versions[] = [
  { v1: pids, v2: pids },
  { v1: memoryV1, v2: memory },
  { v1: blkio, v2: io },
  // The first gives the throttling, the second the usage.
  { v1: cpuV1, v2: cpu },
  { v1: cpuacct },
  { v1: devicesV1, v2: devices },
  { v1: cpusetV1, v2: cpuset },
  { v1: hugetlbV1, v2: hugetlb },
  { v1: rdma, v2: rdma },
  { v1: netCls, v2: netClsV2, gone: true },
  { v1: netPrio, v2: netPrioV2, gone: true },
  { v2: pressure },
  { v2: unified },
];
