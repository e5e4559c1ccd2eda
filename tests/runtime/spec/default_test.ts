import { assertEquals } from "@std/assert";
import { defaultConfig } from "../../../runtime/spec/default.ts";
import { stringify } from "../../../runtime/spec/json.ts";
import { parseConfig } from "../../../runtime/spec/parse.ts";

Deno.test("the default configs are valid", () => {
  for (const rootless of [false, true]) {
    for (const cgroupNamespace of [false, true]) {
      const config = defaultConfig({ rootless, cgroupNamespace, uid: 1000, gid: 1001 });
      assertEquals(parseConfig(stringify(config, "\t")), config);
    }
  }
});

Deno.test("the default config is written as runc writes it", () => {
  const text = stringify(defaultConfig(), "\t");
  const start = [
    "{",
    '\t"ociVersion": "1.3.0",',
    '\t"process": {',
    '\t\t"terminal": true,',
    '\t\t"user": {',
    '\t\t\t"uid": 0,',
  ];
  assertEquals(text.split("\n").slice(0, start.length), start);
});

Deno.test("a rootless default config has what a user may have", () => {
  const { linux, mounts } = defaultConfig({ rootless: true, uid: 1000, gid: 1001 });
  assertEquals(linux?.namespaces?.map(({ type }) => type), ["pid", "ipc", "uts", "mount", "user"]);
  assertEquals(linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assertEquals(linux?.gidMappings, [{ containerID: 0, hostID: 1001, size: 1 }]);
  assertEquals(linux?.resources, undefined);
  assertEquals(mounts?.find(({ destination }) => destination === "/sys")?.options?.[0], "rbind");
  assertEquals(mounts?.some(({ options }) => options?.includes("gid=5")), false);
});
