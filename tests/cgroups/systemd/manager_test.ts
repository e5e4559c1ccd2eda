import { assert, assertEquals, assertThrows } from "@std/assert";
import { Connection, DBusError } from "../../../cgroups/systemd/connection.ts";
import { Manager } from "../../../cgroups/systemd/manager.ts";
import { property } from "../../../cgroups/systemd/properties.ts";
import { StateError, UsageError } from "../../../runtime/errors.ts";
import type { Script } from "./fake_bus.ts";

interface Heard {
  readonly member: string;
  readonly body: unknown[];
}

interface Bus {
  readonly path: string;
  connect(options?: { direct?: boolean; timeoutMilliseconds?: number }): Manager;
  /** The first `count` calls, those to the bus itself left out. */
  heard(count: number): Promise<Heard[]>;
}

/** Defines a test against a systemd that follows `script`. */
function busTest(name: string, script: Script, fn: (bus: Bus) => void | Promise<void>): void {
  Deno.test(name, async () => {
    const directory = Deno.makeTempDirSync();
    const path = `${directory}/bus`;
    const worker = new Worker(new URL("fake_bus.ts", import.meta.url), { type: "module" });
    const heard: Heard[] = [];
    let wake = () => {};
    const ready = new Promise<void>((resolve) => {
      worker.onmessage = ({ data }) => {
        if (data === "ready") return resolve();
        heard.push(data);
        wake();
      };
    });
    worker.postMessage({ path, script });
    await ready;
    const managers: Manager[] = [];
    try {
      await fn({
        path,
        connect({ direct = true, timeoutMilliseconds = 5000 } = {}) {
          const manager = new Manager(Connection.open({ path, direct }, timeoutMilliseconds));
          managers.push(manager);
          return manager;
        },
        async heard(count) {
          const calls = () =>
            heard.filter(({ member }) => !["Hello", "AddMatch", "Subscribe"].includes(member));
          while (calls().length < count) await new Promise<void>((resolve) => wake = resolve);
          return calls().slice(0, count);
        },
      });
    } finally {
      managers.forEach((manager) => manager.close());
      worker.terminate();
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

const properties = [property("PIDs", "au", [7])];

for (const direct of [true, false]) {
  busTest(
    `a unit is started, ${direct ? "by systemd itself" : "through a bus"}, and its job awaited`,
    {},
    async ({ connect, heard }) => {
      connect({ direct }).startTransientUnit("x.scope", properties);
      assertEquals(await heard(1), [{
        member: "StartTransientUnit",
        signature: "ssa(sv)a(sa(sv))",
        body: ["x.scope", "replace", [["PIDs", { signature: "au", value: [7] }]], []],
      }] as unknown[] as Heard[]);
    },
  );
}

busTest("a job may be done before we know its name", {
  methods: { StartTransientUnit: [{ job: "done", early: true }] },
}, ({ connect }) => {
  connect().startTransientUnit("x.scope", []);
});

busTest("a unit that has failed gives its name to the next one", {
  methods: { StartTransientUnit: [{ error: "UnitExists" }, { job: "done" }] },
}, async ({ connect, heard }) => {
  connect().startTransientUnit("x.scope", []);
  assertEquals((await heard(3)).map(({ member }) => member), [
    "StartTransientUnit",
    "ResetFailedUnit",
    "StartTransientUnit",
  ]);
});

busTest("a unit that lives is not replaced", {
  methods: { StartTransientUnit: [{ error: "UnitExists" }] },
}, ({ connect }) => {
  const error = assertThrows(() => connect().startTransientUnit("x.scope", []), DBusError);
  assertEquals((error as Error).message, "systemd: StartTransientUnit: it is UnitExists");
});

busTest("a job that fails is an error, and its unit is let go of", {
  methods: { StartTransientUnit: [{ job: "failed" }] },
}, async ({ connect, heard }) => {
  assertThrows(
    () => connect().startTransientUnit("x.scope", []),
    StateError,
    'systemd: StartTransientUnit of x.scope: its job ended with "failed"',
  );
  assertEquals((await heard(2)).map(({ member }) => member), [
    "StartTransientUnit",
    "ResetFailedUnit",
  ]);
});

busTest("nobody waits for ever", {
  methods: { StartTransientUnit: [{}], SetUnitProperties: [{ silent: true }] },
}, ({ connect }) => {
  const manager = connect({ timeoutMilliseconds: 200 });
  assertThrows(
    () => manager.startTransientUnit("x.scope", []),
    StateError,
    "waited 0.2 s in vain for StartTransientUnit of x.scope",
  );
  assertThrows(
    () => manager.setUnitProperties("x.scope", []),
    StateError,
    "waited 0.2 s in vain for an answer",
  );
});

busTest(
  "a connection that is closed is an error",
  { methods: { StartTransientUnit: [{ hangUp: true }] } },
  ({ connect }) => {
    assertThrows(
      () => connect().startTransientUnit("x.scope", []),
      StateError,
      "systemd has closed the connection",
    );
  },
);

busTest(
  "what is no D-Bus is an error",
  { methods: { StartTransientUnit: [{ garbage: true }] } },
  ({ connect }) => {
    assertThrows(() => connect().startTransientUnit("x.scope", []), StateError, "does not speak D-Bus");
  },
);

busTest("whoever is not let in is told so", { authentication: ["REJECTED EXTERNAL"] }, ({ connect }) => {
  assertThrows(() => connect(), StateError, "systemd's bus does not let us in: REJECTED EXTERNAL");
});

busTest("a bus may let us in at once", { authentication: ["OK 1234"] }, ({ connect }) => {
  connect().setUnitProperties("x.scope", []);
});

busTest("a unit that is gone need not be stopped", {
  methods: { StopUnit: [{ error: "NoSuchUnit" }], ResetFailedUnit: [{ error: "NoSuchUnit" }] },
}, ({ connect }) => {
  const manager = connect();
  manager.stopUnit("x.scope");
  manager.resetFailedUnit("x.scope");
});

busTest(
  "a unit that cannot be stopped is an error",
  { methods: { StopUnit: [{ job: "timeout" }] } },
  ({ connect }) => {
    assertThrows(
      () => connect().stopUnit("x.scope"),
      StateError,
      'StopUnit of x.scope: its job ended with "timeout"',
    );
  },
);

busTest(
  "systemd's version is a number",
  { methods: { Get: [{ value: "252.39-1~deb12u2" }] } },
  ({ connect }) => {
    assertEquals(connect().version(), 252);
  },
);

busTest("processes are moved to a unit", {}, async ({ connect, heard }) => {
  connect().attachProcesses("x.scope", "/sub", [5, 6]);
  connect().attachProcesses("x.scope", "", [7]);
  const calls = await heard(2);
  assertEquals(calls.map(({ body }) => body), [["x.scope", "/sub", [5, 6]], ["x.scope", "/", [7]]]);
});

Deno.test("without systemd the error says who was looked for, where, and what else there is", () => {
  const names = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] as const;
  const before = names.map((name) => Deno.env.get(name));
  const directory = Deno.makeTempDirSync();
  try {
    Deno.env.delete("DBUS_SESSION_BUS_ADDRESS");
    Deno.env.set("XDG_RUNTIME_DIR", directory);
    const { message } = assertThrows(() => Manager.connect("user"), UsageError) as Error;
    for (
      const words of [
        "the systemd of this user",
        `connect ${directory}/bus: no such file or directory`,
        "--systemd-cgroup",
      ]
    ) {
      assert(message.includes(words), message);
    }
  } finally {
    names.forEach((name, index) =>
      before[index] === undefined ? Deno.env.delete(name) : Deno.env.set(name, before[index])
    );
    Deno.removeSync(directory);
  }
});
