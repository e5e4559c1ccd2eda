/**
 * Compiled containers: each golden config is refused with its reason, or gives a plan that keeps every rule and waits for
 * nobody.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { formatPlan, walk } from "../../../runtime/plan/format.ts";
import { type Host, hostFromJson } from "../../../runtime/plan/host.ts";
import { planStandalone, type StandaloneOptions } from "../../../runtime/plan/standalone.ts";
import { checkPlan } from "../../../runtime/plan/rules.ts";
import type { Config } from "../../../runtime/spec/config.ts";
import { parseConfig } from "../../../runtime/spec/parse.ts";
import { assertPlan, testConfig, testHost, testProcess, USERNS } from "./fixture.ts";

const GOLDEN = new URL("../../golden/", import.meta.url);

const OPTIONS: StandaloneOptions = {
  name: "tool",
  home: "/root",
  image: { address: 0x200000, bytes: 0x200000 },
  cgroups: [
    {
      mountPoint: "/sys/fs/cgroup/pids",
      parents: ["shop"],
      inherited: [],
      writes: [{ file: "pids.max", value: "7", pointer: "/linux/resources/pids/limit" }],
    },
    {
      mountPoint: "/sys/fs/cgroup/unified",
      parents: [],
      inherited: [],
      writes: [],
      unified: { controllers: ["memory"], devices: new Uint8Array(16), fd: 6, kill: true },
    },
  ],
};

/** Those that ask for more that only a runtime can do, by the member that does. */
const REFUSED: Readonly<Record<string, string>> = { "all-members": "/mounts/7" };

function standaloneHost({ nofile: _, ...host }: Host): Host {
  return { ...host, nullStdio: ["late", "late", "late"], cgroupTasks: [] };
}

for (const { name } of [...Deno.readDirSync(GOLDEN)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (name === "exec") continue;
  const read = (file: string) => Deno.readTextFileSync(new URL(`${name}/${file}`, GOLDEN));

  Deno.test(`standalone: golden config ${name}`, () => {
    const config = parseConfig(read("config.json"));
    const host = standaloneHost(hostFromJson(read("host.json")));
    // Docker sends a hook with every container, and `spec` asks for a terminal; the rest of both can be compiled.
    const { terminal, ...process } = config.process!;
    const hook = Object.entries(config.hooks ?? {}).find(([, hooks]) => hooks.length > 0)?.[0];
    const pointer = hook === undefined ? terminal ? "/process/terminal" : undefined : `/hooks/${hook}`;
    if (pointer !== undefined) {
      const error = assertThrows(() => planStandalone(config, host, OPTIONS), ConfigError);
      assertEquals([error.pointer, /cannot be compiled/.test(error.message)], [pointer, true]);
    }
    const compile = () => planStandalone({ ...config, process, hooks: {} }, host, OPTIONS);
    if (REFUSED[name] !== undefined) {
      assertEquals(assertThrows(compile, ConfigError).pointer, REFUSED[name]);
      return;
    }
    const plan = compile();
    assertEquals(checkPlan(plan.container), []);
    for (const { node } of walk([...plan.container, ...plan.cleanup])) {
      assert(node.kind !== "barrier");
      const step = node.kind === "attempt" ? node.step : node;
      assert(step.kind !== "step" || !JSON.stringify(step.args, integers).includes('"late"'), step.label);
    }
  });
}

function integers(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}

const PID: Config = testConfig({ namespaces: [{ type: "pid" }, { type: "mount" }] });

Deno.test("standalone: what needs a runtime is refused by its pointer", () => {
  const host = standaloneHost(testHost());
  const refuse = (config: Config, pointer: string, from = host) => {
    const error = assertThrows(() => planStandalone(config, from, OPTIONS), ConfigError);
    assertEquals(error.pointer, pointer);
  };
  const dev = { destination: "/dev", type: "tmpfs" };
  const linux = PID.linux!;
  refuse({ ...PID, hooks: { poststop: [{ path: "/bin/true" }] } }, "/hooks/poststop");
  refuse({ ...PID, process: testProcess({ terminal: true }) }, "/process/terminal");
  refuse({ ...PID, linux: { ...PID.linux, intelRdt: {} } }, "/linux/intelRdt");
  refuse({ ...PID, mounts: [{ ...dev, options: ["tmpcopyup"] }] }, "/mounts/0");
  refuse(PID, "/mounts"); // Nothing new on /dev: the image may have other devices there.
  refuse(
    { ...PID, mounts: [dev], linux: { ...linux, namespaces: [{ type: "mount" }] } },
    "/linux/namespaces",
  );
  refuse({ ...PID, mounts: [dev] }, "/linux/namespaces", { ...host, privileged: false });
});

Deno.test("standalone: the cgroups are made, limited and joined before the namespaces, and removed at the end", () => {
  const config = { ...PID, mounts: [{ destination: "/dev", type: "tmpfs" }] };
  const { container, cleanup } = planStandalone(config, standaloneHost(testHost()), {
    ...OPTIONS,
    cgroups: OPTIONS.cgroups.slice(0, 1),
  });
  const from = container.findIndex((node) => node.kind === "step" && node.args[1] === "/sys/fs/cgroup/pids");
  assertPlan(
    container.slice(from, from + 12),
    `
make the cgroup  /linux/cgroupsPath
1  openat(AT_FDCWD, "/sys/fs/cgroup/pids", O_DIRECTORY|O_CLOEXEC|O_PATH) -> $cgroup_parent
2  mkdirat($cgroup_parent, "shop", 0755)  (EEXIST is fine)
3  openat($cgroup_parent, "shop", O_DIRECTORY|O_CLOEXEC|O_PATH) -> $cgroup
4  openat($cgroup_parent, "shop", O_DIRECTORY|O_CLOEXEC|O_PATH) -> $cgroup_parent
5  mkdirat($cgroup_parent, "tool.pppppppp", 0755)
6  openat($cgroup_parent, "tool.pppppppp", O_DIRECTORY|O_CLOEXEC|O_PATH) -> $cgroup
write "7" to pids.max  /linux/resources/pids/limit
7  openat($cgroup, "pids.max", O_WRONLY|O_CLOEXEC) -> $file
8  write($file, "7", 1)
9  close($file)
join the cgroup  /linux/cgroupsPath
10  openat($cgroup, "tasks", O_WRONLY|O_CLOEXEC) -> $file
11  write($file, "0", 1)
12  close($file)
`,
  );
  const text = formatPlan(cleanup);
  assert(text.includes(`openat(AT_FDCWD, "/sys/fs/cgroup/pids/shop"`) && text.includes("AT_REMOVEDIR"), text);
  assert(text.trimEnd().endsWith("exit_group($exit)"), text);
});

Deno.test("standalone: id maps are written by a helper with root's rights, by itself without", () => {
  const config: Config = {
    ...USERNS,
    mounts: [{ destination: "/dev", type: "tmpfs" }],
    linux: { ...USERNS.linux, namespaces: [{ type: "user" }, { type: "pid" }, { type: "mount" }] },
  };
  const maps = (privileged: boolean) => {
    const { container } = planStandalone(config, { ...standaloneHost(testHost()), privileged }, OPTIONS);
    assertEquals(checkPlan(container), []);
    return formatPlan(container).split("\n").filter((line) => /_map"|CLONE_NEWUSER|child:|"deny"/.test(line))
      .map((line) => line.trim().replace(/^\d+ +/, ""));
  };
  const open = (dir: string, file: string) => `openat(${dir}, "${file}", O_WRONLY|O_CLOEXEC) -> $file`;
  assertEquals(maps(true), [
    "in the child:",
    open("$self", "gid_map"),
    open("$self", "uid_map"),
    "unshare(CLONE_NEWUSER)",
  ]);
  assertEquals(maps(false), [
    "unshare(CLONE_NEWUSER)",
    `write($file, "deny", 4)`,
    open("$proc", "self/gid_map"),
    open("$proc", "self/uid_map"),
  ]);
});

Deno.test("standalone: a name without a slash is tried in each directory of PATH", () => {
  const config: Config = {
    ...PID,
    mounts: [{ destination: "/dev", type: "tmpfs" }],
    process: testProcess({ args: ["sh", "-c", "true"], env: ["PATH=/usr/bin::/bin", "A=1", "B=2"] }),
  };
  const { container, args, env } = planStandalone(config, standaloneHost(testHost()), {
    ...OPTIONS,
    passed: ["B"],
  });
  const calls = formatPlan(container.slice(-1)).match(/execve\("[^"]*"/g);
  assertEquals(calls, ['execve("/usr/bin/sh"', 'execve("./sh"', 'execve("/bin/sh"']);
  assertEquals([args, env], [["sh", "-c", "true"], ["PATH=/usr/bin::/bin", "A=1", "HOME=/root"]]);
});

for (const embedded of ["erofs", "squashfs"] as const) {
  Deno.test(`standalone: an embedded image of ${embedded} is mounted before the cgroup and the executable are left`, () => {
    const config = { ...PID, mounts: [{ destination: "/dev", type: "tmpfs" }] };
    const { container } = planStandalone(config, { ...standaloneHost(testHost()), embedded }, OPTIONS);
    assertEquals(checkPlan(container), []);
    const at = (text: string) => formatPlan(container).indexOf(text);
    const order = [`fsopen("${embedded}"`, "munmap(", `mkdirat($cgroup_parent, "tool`, "move_mount($lower"];
    assert(order.every((text) => at(text) > 0), order.join());
    const places = order.map(at);
    assertEquals(places, places.toSorted((a, b) => a - b));
    assertThrows(
      () =>
        planStandalone(
          { ...USERNS, mounts: config.mounts },
          { ...standaloneHost(testHost()), embedded },
          OPTIONS,
        ),
      ConfigError,
      "an embedded image takes a new mount namespace",
    );
  });
}
