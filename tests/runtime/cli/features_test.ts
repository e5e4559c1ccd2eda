import { assertEquals, assertThrows } from "@std/assert";
import { globalOptions, runCommand } from "../../../runtime/cli/command.ts";
import { commands } from "../../../runtime/cli/mod.ts";
import { parseOptions } from "../../../runtime/cli/options.ts";
import { ConfigError } from "../../../runtime/errors.ts";
import { validateConfig } from "../../../runtime/spec/parse.ts";
import { changedConfig } from "../spec/cases.ts";
import { validator } from "../spec/schema.ts";

function features() {
  let printed = "";
  const { options: global } = parseOptions(globalOptions, []);
  runCommand({ global, commands, print: (text) => printed += text }, "features", []);
  return JSON.parse(printed);
}

const { linux, hooks, ...rest } = features();

Deno.test("features has the specification's schema", () => {
  const validate = validator("features-schema.json");
  validate({ linux, hooks, ...rest });
  assertEquals(validate.errors, null);
});

/** What features names, by the member of config.json that takes it. */
const NAMED: Readonly<
  Record<string, readonly [names: readonly string[], config: (name: string) => unknown]>
> = {
  hooks: [hooks, (name) => changedConfig({ [`/hooks/${name}`]: [{ path: "/a" }] })],
  "seccomp.actions": [
    linux.seccomp.actions,
    (action) =>
      changedConfig({
        "/linux/seccomp": {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["read"], action }],
          listenerPath: "/a",
        },
      }),
  ],
  "seccomp.operators": [
    linux.seccomp.operators,
    (op) =>
      changedConfig({
        "/linux/seccomp": {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["read"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: 0, op }] }],
        },
      }),
  ],
  "seccomp.archs": [
    linux.seccomp.archs,
    (arch) => changedConfig({ "/linux/seccomp": { defaultAction: "SCMP_ACT_ALLOW", architectures: [arch] } }),
  ],
  "seccomp.knownFlags": [
    linux.seccomp.knownFlags,
    (flag) => changedConfig({ "/linux/seccomp": { defaultAction: "SCMP_ACT_ALLOW", flags: [flag] } }),
  ],
  "memoryPolicy.modes": [
    linux.memoryPolicy.modes,
    (mode) =>
      changedConfig({
        "/linux/memoryPolicy": { mode, ...!["MPOL_DEFAULT", "MPOL_LOCAL"].includes(mode) && { nodes: "0" } },
      }),
  ],
  "memoryPolicy.flags": [
    linux.memoryPolicy.flags,
    (flag) => changedConfig({ "/linux/memoryPolicy": { mode: "MPOL_BIND", nodes: "0", flags: [flag] } }),
  ],
  namespaces: [
    linux.namespaces,
    (type) =>
      changedConfig({ "/linux/namespaces": [{ type }, ...type === "user" ? [] : [{ type: "user" }]] }),
  ],
};

for (const [what, [names, config]] of Object.entries(NAMED)) {
  Deno.test(`features: ${what} are what config.json may have`, () => {
    assertEquals(names.length > 0, true);
    for (const name of names) validateConfig(config(name));
    if (what === "hooks") return; // Members that are not known are to be ignored.
    assertThrows(() => validateConfig(config("nothing")), ConfigError);
  });
}

Deno.test("features: what is true of this runtime", () => {
  assertEquals(linux.cgroup, { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true });
  assertEquals(linux.intelRdt, { enabled: true, schemata: true, monitoring: true });
  assertEquals([linux.netDevices, linux.mountExtensions], [{ enabled: true }, { idmap: { enabled: true } }]);
  assertEquals(rest.potentiallyUnsafeConfigAnnotations, ["org.systemd.property.", "org.criu.config"]);
});
