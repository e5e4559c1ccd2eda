/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#hugetlb @module */
import { fileController, type Setting } from "../controller.ts";
import { nonZero, parseInteger, parsePairs } from "../stats.ts";

export const hugetlb = fileController({
  name: "hugetlb",
  settings({ hugepageLimits = [] }) {
    return hugepageLimits.flatMap(({ pageSize, limit }, index): Setting[] => {
      const common = { value: `${limit}`, member: `/hugepageLimits/${index}` };
      return [
        { file: `hugetlb.${pageSize}.max`, ...common },
        // Pages that are reserved but not touched yet, of Linux 5.7.
        { file: `hugetlb.${pageSize}.rsvd.max`, ...common, absent: "ignore" },
      ];
    });
  },
  stats(directory, { hugetlb }) {
    for (const file of directory.files()) {
      const size = /^hugetlb\.(\w+)\.current$/.exec(file)?.[1];
      if (size === undefined) continue;
      const usage = directory.tryRead(`hugetlb.${size}.rsvd.current`) ?? directory.read(file);
      const events = parsePairs(directory.read(`hugetlb.${size}.events`));
      hugetlb[size] = { usage: nonZero(parseInteger(usage)), failcnt: parseInteger(events.max) };
    }
  },
});
