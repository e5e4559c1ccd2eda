import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { validateConfig } from "../../../runtime/spec/parse.ts";
import {
  baseConfig,
  type Change,
  changedConfig,
  namespacesWithout,
  testAccepted,
  testRefused,
  WITHOUT_USER_NAMESPACE,
} from "./cases.ts";

const VERSION = "must be a version 1.x.y of the specification";

testRefused("ociVersion", [
  [{ "/ociVersion": undefined }, "/ociVersion", "is missing or empty"],
  [{ "/ociVersion": "" }, "/ociVersion", VERSION],
  [{ "/ociVersion": 1 }, "/ociVersion", "must be a string, not 1"],
  [{ "/ociVersion": "0.9.0" }, "/ociVersion", `${VERSION}, not "0.9.0"`],
  [{ "/ociVersion": "2.0.0" }, "/ociVersion", VERSION],
  [{ "/ociVersion": "10.0.0" }, "/ociVersion", VERSION],
  [{ "/ociVersion": "1.0" }, "/ociVersion", VERSION],
  [{ "/ociVersion": "v1.0.0" }, "/ociVersion", VERSION],
  [{ "/ociVersion": "1.0.0 " }, "/ociVersion", VERSION],
]);

testAccepted(
  "ociVersion",
  ["1.0.0", "1.0.2-dev", "1.3.0+dev", "1.0.0-rc5", "1.1.0-rc.2+build.7", "1.99.0"].map((version) => ({
    "/ociVersion": version,
  })),
);

testRefused("root", [
  [{ "/root": undefined }, "/root", "is missing"],
  [{ "/root": null }, "/root", "is missing"],
  [{ "/root": {} }, "/root/path", "is missing"],
  [{ "/root/path": "" }, "/root/path", "is missing or empty"],
  [{ "/root/path": ["/"] }, "/root/path", "must be a string"],
  [{ "/root/path": "/a\0b" }, "/root/path", "must not contain a NUL character"],
  [{ "/root/readonly": "true" }, "/root/readonly", 'must be true or false, not "true"'],
]);

const mountWith = (member: string, value: unknown): Change => ({
  "/mounts": [{ destination: "/a", [member]: value }],
});
const MAPPING = { containerID: 0, hostID: 0, size: 1 };

testRefused("mounts", [
  [{ "/mounts": {} }, "/mounts", "must be an array"],
  [{ "/mounts": [null] }, "/mounts/0", "must be an object, not null"],
  [{ "/mounts": [{ destination: "/" }, {}] }, "/mounts/1/destination", "is missing"],
  [mountWith("destination", ""), "/mounts/0/destination", "must not be empty"],
  [mountWith("destination", "/a\0"), "/mounts/0/destination", "NUL"],
  [mountWith("type", 1), "/mounts/0/type", "must be a string"],
  [mountWith("source", {}), "/mounts/0/source", "must be a string"],
  [mountWith("options", "ro"), "/mounts/0/options", 'must be an array, not "ro"'],
  [mountWith("options", ["ro", 1]), "/mounts/0/options/1", "must be a string, not 1"],
  [mountWith("options", ["ro\0,"]), "/mounts/0/options/0", "NUL"],
  [mountWith("uidMappings", [MAPPING]), "/mounts/0/gidMappings", "must be given"],
  [mountWith("gidMappings", [MAPPING]), "/mounts/0/uidMappings", "must be given"],
  [mountWith("uidMappings", [{ ...MAPPING, size: 0 }]), "/mounts/0/uidMappings/0/size", "from 1 to"],
  [
    { ...WITHOUT_USER_NAMESPACE, ...mountWith("options", ["bind", "idmap"]) },
    "/mounts/0/options/1",
    'needs uidMappings and gidMappings, or a "user" namespace, not "idmap"',
  ],
]);

testAccepted("mounts", [
  { "/mounts": null },
  { "/mounts": [] },
  mountWith("options", null),
  mountWith("options", ["rbind", "idmap"]),
  {
    ...WITHOUT_USER_NAMESPACE,
    "/mounts": [{ destination: "/a", options: ["ridmap"], uidMappings: [MAPPING], gidMappings: [MAPPING] }],
  },
]);

testRefused("hostname and domainname", [
  [{ "/hostname": 1 }, "/hostname", "must be a string"],
  [{ "/hostname": "a".repeat(65) }, "/hostname", "must be at most 64 bytes"],
  [{ "/hostname": "é".repeat(33) }, "/hostname", "must be at most 64 bytes"],
  [{ "/domainname": "a".repeat(65) }, "/domainname", "must be at most 64 bytes"],
  [
    { "/hostname": "a", "/linux/namespaces": namespacesWithout("uts") },
    "/hostname",
    'needs a "uts" namespace in /linux/namespaces',
  ],
  [
    { "/domainname": "a", "/linux/namespaces": namespacesWithout("uts") },
    "/domainname",
    'needs a "uts" namespace in /linux/namespaces',
  ],
  [{ "/hostname": "a", "/linux": undefined }, "/hostname", 'needs a "uts" namespace'],
]);

testAccepted("hostname and domainname", [
  { "/hostname": "a".repeat(64), "/domainname": "é".repeat(32) },
  {
    "/hostname": "a",
    "/linux/namespaces": [...namespacesWithout("uts"), { type: "uts", path: "/proc/1/ns/uts" }],
  },
  { "/hostname": "", "/linux/namespaces": namespacesWithout("uts") },
]);

testRefused("annotations", [
  [{ "/annotations": [] }, "/annotations", "must be an object, not []"],
  [{ "/annotations": { a: 1 } }, "/annotations/a", "must be a string"],
  [{ "/annotations": { "": "a" } }, "/annotations/", "must not have an empty name"],
  [{ "/annotations": { "a/b~c": 1 } }, "/annotations/a~1b~0c", "must be a string"],
  [{ "/annotations": { "a\0": "b" } }, "/annotations/a\0", "NUL"],
  [{ "/annotations": { a: "b\0" } }, "/annotations/a", "NUL"],
]);

testRefused("hooks", [
  [{ "/hooks": [] }, "/hooks", "must be an object"],
  ...["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"].flatMap(
    (name) =>
      [
        [{ [`/hooks/${name}`]: {} }, `/hooks/${name}`, "must be an array"],
        [{ [`/hooks/${name}`]: [{}] }, `/hooks/${name}/0/path`, "is missing"],
        [{ [`/hooks/${name}`]: [{ path: "a" }] }, `/hooks/${name}/0/path`, "must be an absolute path"],
      ] as const,
  ),
  [{ "/hooks/poststop": [{ path: "/a", args: [1] }] }, "/hooks/poststop/0/args/0", "must be a string"],
  [{ "/hooks/poststop": [{ path: "/a", env: "A=" }] }, "/hooks/poststop/0/env", "must be an array"],
  [
    { "/hooks/poststop": [{ path: "/a", timeout: 0 }] },
    "/hooks/poststop/0/timeout",
    "from 1 to 2147483647, not 0",
  ],
  [{ "/hooks/poststop": [{ path: "/a", timeout: 1.5 }] }, "/hooks/poststop/0/timeout", "an integer"],
]);

testAccepted("hooks", [
  { "/hooks": null },
  { "/hooks": {} },
  { "/hooks/poststart": [{ path: "/a", args: ["a", ""], env: ["A=b"], timeout: 1 }] },
]);

Deno.test("a config is an object", () => {
  for (const value of [null, undefined, [], "a", 1]) {
    const error = assertThrows(() => validateConfig(value), ConfigError, "must be an object");
    assertEquals(error.pointer, "");
  }
});

Deno.test("unknown members and those of other platforms pass unread", () => {
  const config = {
    ...baseConfig(),
    windows: { layerFolders: 1 },
    vm: null,
    zos: [],
    "com.example": { a: "\0" },
  };
  assertEquals(validateConfig(structuredClone(config)) as unknown, config);
});

Deno.test("null and empty optional members are absent", () => {
  const config = validateConfig(changedConfig({
    "/hostname": "",
    "/mounts": null,
    "/annotations": { a: "", b: null },
    "/process/env": null,
    "/process/rlimits": null,
    "/linux/namespaces/0/path": "",
    "/linux/rootfsPropagation": "",
    "/linux/seccomp": null,
  }));
  assertEquals(config.hostname, undefined);
  assertEquals(config.mounts, undefined);
  assertEquals(config.annotations, { a: "" });
  assertEquals(config.process?.env, undefined);
  assertEquals(config.process?.rlimits, undefined);
  assertEquals(config.linux?.namespaces?.[0]?.path, undefined);
  assertEquals(config.linux?.rootfsPropagation, undefined);
  assertEquals(config.linux?.seccomp, undefined);
});

Deno.test("a long value is shortened in the message", () => {
  const value = "x".repeat(100);
  const error = assertThrows(
    () => validateConfig(changedConfig({ "/process/terminal": value })),
    ConfigError,
  );
  assertEquals(
    error.message,
    `config.json /process/terminal: must be true or false, not "${"x".repeat(76)}...`,
  );
});
