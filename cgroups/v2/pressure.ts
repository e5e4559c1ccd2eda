/** @see https://docs.kernel.org/accounting/psi.html @module */
import { fileController } from "../controller.ts";
import { parsePressure } from "../stats.ts";

/** Every cgroup of v2 has it, those of a hybrid machine too, unless the kernel was started with psi=0. */
export const pressure = fileController({
  name: "pressure",
  stats(directory, stats) {
    for (const [name, part] of [["cpu", "cpu"], ["memory", "memory"], ["io", "blkio"]] as const) {
      const psi = parsePressure(directory.tryRead(`${name}.pressure`));
      if (psi !== undefined) stats[part].psi = psi;
    }
  },
});
