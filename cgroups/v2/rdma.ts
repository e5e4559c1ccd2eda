/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#rdma @module */
import { fileController, type Setting } from "../controller.ts";

/** The file is that of cgroup v1. */
export const rdma = fileController({
  name: "rdma",
  settings({ rdma = {} }) {
    return Object.entries(rdma).map(([device, { hcaHandles, hcaObjects }]): Setting => {
      const limits = [
        ...hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`],
        ...hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`],
      ];
      return { file: "rdma.max", value: [device, ...limits].join(" "), member: `/rdma/${device}` };
    });
  },
});
