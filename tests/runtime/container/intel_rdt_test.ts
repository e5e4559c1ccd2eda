/** linux.intelRdt, over a temporary directory whose groups have the files that resctrl would give them. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  enterResctrl,
  joinResctrl,
  planResctrl,
  removeResctrl,
  updateResctrl,
} from "../../../runtime/container/intel_rdt.ts";
import { ConfigError, SyscallError } from "../../../runtime/errors.ts";
import type { IntelRdt } from "../../../runtime/spec/linux.ts";

/** As the kernel prints it. */
const DEFAULT = "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n";

const { mkdirSync, removeSync } = Deno;

function fill(group: string): void {
  Deno.writeTextFileSync(`${group}/tasks`, "");
  if (/\/mon_groups\/[^/]+$/.test(group)) return;
  Deno.writeTextFileSync(`${group}/schemata`, DEFAULT);
  mkdirSync(`${group}/mon_groups`);
}

/** Runs `fn` while mkdir(2) and rmdir(2) below `root` do what they do in resctrl. */
function withResctrl(fn: (root: string) => void): void {
  const root = Deno.makeTempDirSync();
  try {
    fill(root);
    Deno.mkdirSync = (path, options) => {
      mkdirSync(path, options);
      fill(`${path}`);
    };
    Deno.removeSync = (path) => removeSync(path, { recursive: true });
    fn(root);
  } finally {
    Object.assign(Deno, { mkdirSync, removeSync });
    removeSync(root, { recursive: true });
  }
}

const read = (path: string) => Deno.readTextFileSync(path);

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

const OF_THE_ROOT = ["mon_groups", "schemata", "tasks"];

/** Puts the process 42 of a container "web" where `rdt` says. */
function enter(root: string, rdt: IntelRdt) {
  const groups = planResctrl(rdt, "web", root);
  enterResctrl(groups, rdt, 42);
  return groups;
}

Deno.test("without closID a container has a group of its id, which goes with it", () => {
  withResctrl((root) => {
    const groups = enter(root, { schemata: ["L3:0=f"] });
    assertEquals(groups, { paths: [`${root}/web`], own: [`${root}/web`] });
    assertEquals(read(`${root}/web/schemata`), "L3:0=f\n");
    assertEquals(read(`${root}/web/tasks`), "42");
    removeResctrl(groups);
    assertEquals(names(root), OF_THE_ROOT);
    removeResctrl(groups);
  });
});

Deno.test("schemata are written one by one, with the array's last", () => {
  withResctrl((root) => {
    const written: string[] = [];
    const { writeTextFileSync } = Deno;
    Deno.writeTextFileSync = (path, text) => void written.push(`${path}`.slice(root.length), `${text}`);
    const rdt = {
      schemata: ["L2:0=3", "L3:1=f0"],
      memBwSchema: "MB:0=20",
      l3CacheSchema: "L3:0=f\nL3CODE:0=1",
    };
    const groups = planResctrl(rdt, "web", root);
    // What the fake makes is not of interest.
    Deno.mkdirSync = mkdirSync;
    try {
      enterResctrl(groups, rdt, 42);
    } finally {
      Object.assign(Deno, { writeTextFileSync });
    }
    const lines = ["L3:0=f", "L3CODE:0=1", "MB:0=20", "L2:0=3", "L3:1=f0"];
    assertEquals(written, [...lines.flatMap((line) => ["/web/schemata", `${line}\n`]), "/web/tasks", "42"]);
  });
});

Deno.test("a group of its id that was there is used, and stays", () => {
  withResctrl((root) => {
    Deno.mkdirSync(`${root}/web`);
    const groups = enter(root, {});
    assertEquals(groups.own, []);
    removeResctrl(groups);
    assertEquals([read(`${root}/web/tasks`), read(`${root}/web/schemata`)], ["42", DEFAULT]);
  });
});

Deno.test("a class of service that is named stays, even if it was made for the container", () => {
  withResctrl((root) => {
    const groups = enter(root, { closID: "gold", l3CacheSchema: "L3:0=f" });
    assertEquals(groups, { paths: [`${root}/gold`], own: [] });
    removeResctrl(groups);
    assertEquals(read(`${root}/gold/schemata`), "L3:0=f\n");
    assertEquals(read(`${root}/gold/tasks`), "42");
  });
});

Deno.test("a class of service without schemata must be there", () => {
  withResctrl((root) => {
    assertThrows(() => enter(root, { closID: "gold" }), ConfigError, "/linux/intelRdt/closID: ");
    assertEquals(names(root), OF_THE_ROOT);
    Deno.mkdirSync(`${root}/gold`);
    enter(root, { closID: "gold" });
    assertEquals([read(`${root}/gold/tasks`), read(`${root}/gold/schemata`)], ["42", DEFAULT]);
  });
});

Deno.test("the class / is resctrl's root", () => {
  withResctrl((root) => {
    const groups = enter(root, { closID: "/", enableMonitoring: true });
    assertEquals(groups.paths, [root, `${root}/mon_groups/web`]);
    removeResctrl(groups);
    assertEquals(names(root), OF_THE_ROOT);
    assertEquals(read(`${root}/tasks`), "42");
  });
});

for (
  const [rdt, pointer] of [
    [{ l3CacheSchema: "L3:0=7f0;1=1f" }],
    // In other words, in another order, in part.
    [{ l3CacheSchema: "L3:1=0x01F;0=7F0", memBwSchema: "MB:0=020" }],
    [{ schemata: ["L3:1=1f", "MB:1=70"] }],
    [{ schemata: ["L3:0=1", "L3:0=7f0"] }],
    [{ l3CacheSchema: "L3:0=7f0;1=1e" }, "/linux/intelRdt/l3CacheSchema"],
    [{ l3CacheSchema: "L3:0=7f" }, "/linux/intelRdt/l3CacheSchema"],
    [{ l3CacheSchema: "L3:2=1f" }, "/linux/intelRdt/l3CacheSchema"],
    [{ memBwSchema: "MB:0=2" }, "/linux/intelRdt/memBwSchema"],
    [{ schemata: ["L3:0=7f0", "L2:0=7f0"] }, "/linux/intelRdt/schemata/1"],
  ] as [IntelRdt, string?][]
) {
  const verdict = pointer === undefined ? "match" : "do not match";
  Deno.test(`the schemata of a class that is there are compared: ${JSON.stringify(rdt)} ${verdict}`, () => {
    withResctrl((root) => {
      Deno.mkdirSync(`${root}/gold`);
      const schemata = "    L3:0=7f0;1=01f\n    MB:0= 20;1= 70\n";
      Deno.writeTextFileSync(`${root}/gold/schemata`, schemata);
      const act = () => enter(root, { closID: "gold", ...rdt });
      if (pointer === undefined) act();
      else assertEquals(assertThrows(act, ConfigError, "does not match").pointer, pointer);
      assertEquals(read(`${root}/gold/schemata`), schemata);
      assertEquals(read(`${root}/gold/tasks`), pointer === undefined ? "42" : "");
    });
  });
}

Deno.test("a monitoring group has the container's id and goes with it, out of a class that stays", () => {
  withResctrl((root) => {
    Deno.mkdirSync(`${root}/gold`);
    const groups = enter(root, { closID: "gold", enableMonitoring: true });
    const monitor = `${root}/gold/mon_groups/web`;
    assertEquals(groups, { paths: [`${root}/gold`, monitor], own: [monitor] });
    joinResctrl(groups.paths, 43);
    assertEquals([read(`${root}/gold/tasks`), read(`${monitor}/tasks`)], ["43", "43"]);
    removeResctrl(groups);
    assertEquals(names(`${root}/gold/mon_groups`), []);
  });
});

Deno.test("where the kernel monitors nothing, a monitoring group is refused with its member", () => {
  withResctrl((root) => {
    Deno.mkdirSync(`${root}/gold`);
    Deno.removeSync(`${root}/gold/mon_groups`);
    const error = assertThrows(() => enter(root, { closID: "gold", enableMonitoring: true }), SyscallError);
    assertEquals([error.errno.name, error.pointer], ["ENOENT", "/linux/intelRdt/enableMonitoring"]);
  });
});

Deno.test("a schema that the kernel refuses leaves no group", () => {
  withResctrl((root) => {
    const { writeTextFileSync } = Deno;
    Deno.writeTextFileSync = (path, text, options) => {
      if (`${text}`.startsWith("L3:9")) throw new Error("Invalid argument (os error 22): writefile");
      writeTextFileSync(path, text, options);
    };
    try {
      const act = () => enter(root, { closID: "gold", schemata: ["L3:0=f", "L3:9=f"] });
      const error = assertThrows(act, SyscallError);
      assertEquals([error.errno.name, error.pointer], ["EINVAL", "/linux/intelRdt/schemata/1"]);
    } finally {
      Object.assign(Deno, { writeTextFileSync });
    }
    assertEquals(names(root), OF_THE_ROOT);
  });
});

Deno.test("a name of resctrl's own is no group", () => {
  withResctrl((root) => {
    mkdirSync(`${root}/info`);
    assertThrows(() => enter(root, { closID: "info" }), SyscallError, "/info/tasks");
  });
});

Deno.test("an update writes each line that it names, and a refusal names the member", () => {
  withResctrl((root) => {
    const groups = planResctrl({}, "one", root);
    enterResctrl(groups, { l3CacheSchema: "L3:0=ff" }, 1);
    const [group] = groups.paths;
    updateResctrl(groups, { l3CacheSchema: "L3:0=f" });
    assertEquals(read(`${group}/schemata`).split("\n").at(-2) ?? "", "L3:0=f");
    updateResctrl(groups, { memBwSchema: "MB:0=50" });
    assertEquals(read(`${group}/schemata`).split("\n").at(-2) ?? "", "MB:0=50");
    Deno.removeSync(`${group}/schemata`);
    Deno.mkdirSync(`${group}/schemata`);
    const error = assertThrows(() => updateResctrl(groups, { memBwSchema: "MB:0=10" }), SyscallError);
    assertEquals(error.pointer, "/linux/intelRdt/memBwSchema");
  });
});
