/** @see https://docs.kernel.org/admin-guide/cgroup-v1/blkio-controller.html @module */
import type { BlockIOResources, ThrottleDevice } from "../../runtime/spec/resources.ts";
import { fileController, type Setting } from "../controller.ts";
import { deviceNumber, given } from "../convert.ts";
import type { Directory } from "../directory.ts";
import { type BlkioEntry, type BlkioTable, nonZero, parseInteger } from "../stats.ts";

const THROTTLE = {
  throttleReadBpsDevice: "blkio.throttle.read_bps_device",
  throttleWriteBpsDevice: "blkio.throttle.write_bps_device",
  throttleReadIOPSDevice: "blkio.throttle.read_iops_device",
  throttleWriteIOPSDevice: "blkio.throttle.write_iops_device",
} as const satisfies { [name in keyof BlockIOResources]: string };

/** By scheduler. The first of which a kernel has the files counts, as in runc: the names are those of runc's tables. */
const BFQ = {
  ioServicedRecursive: "blkio.bfq.io_serviced_recursive",
  ioServiceBytesRecursive: "blkio.bfq.io_service_bytes_recursive",
};
const SOURCES: readonly Partial<Record<BlkioTable, string>>[] = [
  {
    sectorsRecursive: "blkio.bfq.sectors_recursive",
    ioServiceTimeRecursive: "blkio.bfq.io_service_time_recursive",
    ioWaitTimeRecursive: "blkio.bfq.io_wait_time_recursive",
    ioMergedRecursive: "blkio.bfq.io_merged_recursive",
    ioQueueRecursive: "blkio.bfq.io_queued_recursive",
    ioTimeRecursive: "blkio.bfq.time_recursive",
    ...BFQ,
  },
  BFQ,
  {
    ioServicedRecursive: "blkio.throttle.io_serviced_recursive",
    ioServiceBytesRecursive: "blkio.throttle.io_service_bytes_recursive",
  },
  {
    ioServicedRecursive: "blkio.throttle.io_serviced",
    ioServiceBytesRecursive: "blkio.throttle.io_service_bytes",
  },
];

export const blkio = fileController({
  name: "blkio",
  settings({ blockIO = {} }) {
    const { weight, leafWeight, weightDevice = [] } = blockIO;
    const settings: Setting[] = [];
    if (given(weight)) settings.push(bfq("weight", `${weight}`, "/blockIO/weight"));
    if (given(leafWeight)) {
      settings.push({ file: "blkio.leaf_weight", value: `${leafWeight}`, member: "/blockIO/leafWeight" });
    }
    weightDevice.forEach((device, index) => {
      const member = `/blockIO/weightDevice/${index}`;
      const value = (weight: number) => `${deviceNumber(device)} ${weight}`;
      if (given(device.weight)) settings.push(bfq("weight_device", value(device.weight), member));
      if (given(device.leafWeight)) {
        settings.push({ file: "blkio.leaf_weight_device", value: value(device.leafWeight), member });
      }
    });
    for (const [name, file] of Object.entries(THROTTLE)) {
      (blockIO[name as keyof typeof THROTTLE] ?? []).forEach((device: ThrottleDevice, index) => {
        const value = `${deviceNumber(device)} ${device.rate}`;
        settings.push({ file, value, member: `/blockIO/${name}/${index}` });
      });
    }
    return settings;
  },
  stats(directory, { blkio }) {
    for (const source of SOURCES) {
      const [[firstTable, firstFile], ...rest] = Object.entries(source) as [
        [BlkioTable, string],
        ...[BlkioTable, string][],
      ];
      const first = directory.tryRead(firstFile);
      // A scheduler that has seen no I/O has nothing to say.
      if (first === undefined || table(first).length === 0) continue;
      blkio[firstTable] = table(first);
      for (const [name, file] of rest) blkio[name] = readTable(directory, file);
      return;
    }
  },
});

/** CFQ went with Linux 5.0, and BFQ has names of its own. */
function bfq(name: string, value: string, member: string): Setting {
  return { file: `blkio.${name}`, value, member, absent: { file: `blkio.bfq.${name}`, value, member } };
}

function readTable(directory: Directory, file: string): BlkioEntry[] | undefined {
  const entries = table(directory.tryRead(file) ?? "");
  return entries.length > 0 ? entries : undefined;
}

/** `8:0 Read 4096`, or `8:0 6792`, and in the end `Total 4096`. */
function table(text: string): BlkioEntry[] {
  return text.trim().split("\n").flatMap((line) => {
    const [, major, minor, op, value] = /^(\d+):(\d+) (?:(\w+) )?(\d+)$/.exec(line) ?? [];
    if (value === undefined) return [];
    return {
      major: nonZero(Number(major)),
      minor: nonZero(Number(minor)),
      op,
      value: nonZero(parseInteger(value)),
    };
  });
}
