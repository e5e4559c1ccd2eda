/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset @module */
import { fileController, type Setting } from "../controller.ts";

export const cpuset = fileController({
  name: "cpuset",
  settings({ cpu = {} }) {
    return (["cpus", "mems"] as const).filter((name) => cpu[name]).map((name): Setting => ({
      file: `cpuset.${name}`,
      value: cpu[name]!,
      member: `/cpu/${name}`,
    }));
  },
});
