/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#io @module */
import type { BlockIOResources } from "../../runtime/spec/resources.ts";
import { fileController, type Setting } from "../controller.ts";
import { deviceNumber, given, ioWeight } from "../convert.ts";
import { pointerTo } from "../directory.ts";
import { type BlkioEntry, type BlkioTable, nonZero, parseInteger, parsePairs } from "../stats.ts";

const LIMITS = {
  throttleReadBpsDevice: "rbps",
  throttleWriteBpsDevice: "wbps",
  throttleReadIOPSDevice: "riops",
  throttleWriteIOPSDevice: "wiops",
} as const satisfies { [name in keyof BlockIOResources]: string };

/** Where runc's tables have what io.stat says. */
const TABLES: Readonly<Record<string, { readonly table: BlkioTable; readonly op: string }>> = {
  rbytes: { table: "ioServiceBytesRecursive", op: "Read" },
  wbytes: { table: "ioServiceBytesRecursive", op: "Write" },
  rios: { table: "ioServicedRecursive", op: "Read" },
  wios: { table: "ioServicedRecursive", op: "Write" },
};

export const io = fileController({
  name: "io",
  settings({ blockIO = {} }) {
    const { weight, weightDevice = [] } = blockIO;
    const settings: Setting[] = [];
    if (given(weight)) settings.push(weightSetting(weight, "", "/blockIO/weight"));
    weightDevice.forEach((device, index) => {
      if (!given(device.weight)) return;
      settings.push(
        weightSetting(device.weight, `${deviceNumber(device)} `, `/blockIO/weightDevice/${index}`),
      );
    });
    for (const [name, key] of Object.entries(LIMITS)) {
      (blockIO[name as keyof typeof LIMITS] ?? []).forEach((device, index) => {
        const rate = given(device.rate) ? `${device.rate}` : "max";
        const value = `${deviceNumber(device)} ${key}=${rate}`;
        settings.push({ file: "io.max", value, member: `/blockIO/${name}/${index}` });
      });
    }
    return settings;
  },
  warnings({ blockIO = {} }) {
    const { leafWeight, weightDevice = [] } = blockIO;
    const members = weightDevice.map((device, index) =>
      given(device.leafWeight) ? `/blockIO/weightDevice/${index}/leafWeight` : ""
    );
    if (given(leafWeight)) members.push("/blockIO/leafWeight");
    return members.filter((member) => member !== "").map((member) =>
      `${pointerTo(member)} has no effect with cgroup v2`
    );
  },
  stats(directory, { blkio }) {
    // `8:0 rbytes=1 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`
    for (const [device, fields] of Object.entries(parsePairs(directory.tryRead("io.stat") ?? ""))) {
      const [major, minor] = device.split(":").map(Number);
      for (const field of fields.split(" ")) {
        const [key = "", value] = field.split("=");
        const { table, op } = TABLES[key] ?? {};
        if (table === undefined || minor === undefined) continue;
        const entry: BlkioEntry = {
          major: nonZero(major!),
          minor: nonZero(minor),
          op,
          value: nonZero(parseInteger(value)),
        };
        (blkio[table] ??= []).push(entry);
      }
    }
  },
});

/** The scheduler BFQ has weights of its own, in the numbers of cgroup v1; io.weight is that of blk-iocost. */
function weightSetting(weight: number, device: string, member: string): Setting {
  return {
    file: "io.bfq.weight",
    value: device + weight,
    member,
    absent: { file: "io.weight", value: device + ioWeight(weight), member },
  };
}
