/** @see https://docs.kernel.org/admin-guide/cgroup-v1/hugetlb.html @module */
import { fileController, type Setting } from "../controller.ts";
import { nonZero, parseInteger } from "../stats.ts";

export const hugetlb = fileController({
  name: "hugetlb",
  settings({ hugepageLimits = [] }) {
    return hugepageLimits.flatMap(({ pageSize, limit }, index): Setting[] => {
      const common = { value: `${limit}`, member: `/hugepageLimits/${index}` };
      return [
        { file: `hugetlb.${pageSize}.limit_in_bytes`, ...common },
        // Pages that are reserved but not touched yet, of Linux 5.7.
        { file: `hugetlb.${pageSize}.rsvd.limit_in_bytes`, ...common, absent: "ignore" },
      ];
    });
  },
  stats(directory, { hugetlb }) {
    const files = directory.files();
    for (const file of files) {
      const size = /^hugetlb\.(\w+)\.usage_in_bytes$/.exec(file)?.[1];
      if (size === undefined) continue;
      const reserved = `hugetlb.${size}.rsvd`;
      const prefix = files.includes(`${reserved}.usage_in_bytes`) ? reserved : `hugetlb.${size}`;
      const read = (name: string) => parseInteger(directory.read(`${prefix}.${name}`));
      hugetlb[size] = {
        usage: nonZero(read("usage_in_bytes")),
        max: nonZero(read("max_usage_in_bytes")),
        failcnt: read("failcnt"),
      };
    }
  },
});
