/** @see https://docs.kernel.org/admin-guide/cgroup-v1/net_cls.html @module */
import { fileController } from "../controller.ts";
import { given } from "../convert.ts";

export const netCls = fileController({
  name: "net_cls",
  settings({ network = {} }) {
    if (!given(network.classID)) return [];
    return [{ file: "net_cls.classid", value: `${network.classID}`, member: "/network/classID" }];
  },
});
