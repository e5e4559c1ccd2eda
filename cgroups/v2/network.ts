/** Cgroup v2 has neither net_cls nor net_prio: packets are matched by cgroup, or by eBPF. @module */
import type { NetworkResources } from "../../runtime/spec/resources.ts";
import { fileController } from "../controller.ts";
import { pointerTo } from "../directory.ts";

export const netCls = without("classID");
export const netPrio = without("priorities");

function without(name: keyof NetworkResources) {
  return fileController({
    name: "network",
    warnings: ({ network }) =>
      network?.[name] ? [`${pointerTo(`/network/${name}`)} has no effect with cgroup v2`] : [],
  });
}
