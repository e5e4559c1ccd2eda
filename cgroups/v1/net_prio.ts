/** @see https://docs.kernel.org/admin-guide/cgroup-v1/net_prio.html @module */
import { fileController, type Setting } from "../controller.ts";

export const netPrio = fileController({
  name: "net_prio",
  settings({ network = {} }) {
    return (network.priorities ?? []).map(({ name, priority }, index): Setting => ({
      file: "net_prio.ifpriomap",
      value: `${name} ${priority}`,
      member: `/network/priorities/${index}`,
    }));
  },
});
