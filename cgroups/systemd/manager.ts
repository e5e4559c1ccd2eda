/** systemd's manager of units, of the system or of a user. @see org.freedesktop.systemd1(5) @module */
import { StateError, UsageError } from "../../runtime/errors.ts";
import { isErrno } from "../../runtime/linux/libc.ts";
import { type Endpoint, endpoints, type ManagerKind } from "./address.ts";
import { type Call, Connection, DBusError } from "./connection.ts";
import type { Value, Variant } from "./message.ts";
import type { Property } from "./properties.ts";

const PATH = "/org/freedesktop/systemd1";
const INTERFACE = "org.freedesktop.systemd1.Manager";

/** As long as runc waits for a job. */
const TIMEOUT_MILLISECONDS = 30_000;

/** A job that is refused since another one is under way is replaced by the new one. */
const MODE = "replace";

export class Manager {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws {UsageError} if there is no systemd that we may talk to */
  static connect(kind: ManagerKind, timeoutMilliseconds = TIMEOUT_MILLISECONDS): Manager {
    const places = endpoints(kind, readEnvironment(), Deno.uid() ?? 0);
    const refusals: string[] = [];
    for (const place of places) {
      try {
        return new Manager(connectTo(place, timeoutMilliseconds));
      } catch (error) {
        if (!isErrno(error, "ENOENT", "ECONNREFUSED", "EACCES", "EPERM", "ENOTDIR")) throw error;
        refusals.push(error.message);
      }
    }
    const whose = kind === "system" ? "systemd" : "the systemd of this user";
    const hint = kind === "system"
      ? ""
      : " (a login session has one, with Debian's package dbus-user-session)";
    throw new UsageError(
      `the cgroup manager "systemd" cannot reach ${whose}${hint}: ${refusals.join("; ")}. ` +
        "Without --systemd-cgroup containers have cgroups of our own making, or none",
    );
  }

  /** Makes a unit, and waits until it is there. @throws {DBusError} */
  startTransientUnit(name: string, properties: readonly Property[]): void {
    const start = () => {
      this.#runJob("StartTransientUnit", name, "ssa(sv)a(sa(sv))", [name, MODE, properties as Value, []]);
    };
    try {
      start();
    } catch (error) {
      // A unit that has failed keeps its name until somebody has taken notice.
      if (!isError(error, "UnitExists")) throw error;
      this.resetFailedUnit(name);
      start();
    }
  }

  /** Until the next boot. */
  setUnitProperties(name: string, properties: readonly Property[]): void {
    const runtime = true;
    this.#call("SetUnitProperties", "sba(sv)", [name, runtime, properties as Value]);
  }

  /** Kills what is in a unit, and removes it. It may be gone already. */
  stopUnit(name: string): void {
    try {
      this.#runJob("StopUnit", name, "ss", [name, MODE]);
    } catch (error) {
      if (!isError(error, "NoSuchUnit")) throw error;
    }
  }

  /** Lets go of a unit that has failed: one of its processes was killed for want of memory, say. */
  resetFailedUnit(name: string): void {
    try {
      this.#call("ResetFailedUnit", "s", [name]);
    } catch (error) {
      if (!isError(error, "NoSuchUnit")) throw error;
    }
  }

  /** Moves processes to a unit's cgroup, or to one below it: `sub` is "" or "/a/b". */
  attachProcesses(name: string, sub: string, pids: readonly number[]): void {
    this.#call("AttachProcessesToUnit", "ssau", [name, sub || "/", pids]);
  }

  /** The cgroup that it has its slices in; "" is the root. */
  controlGroup(): string {
    return this.#property("ControlGroup").replace(/\/$/, "");
  }

  /** 252 for "252.39-1~deb12u2". */
  version(): number {
    return Number(/\d+/.exec(this.#property("Version"))?.[0] ?? 0);
  }

  close(): void {
    this.#connection.close();
  }

  #runJob(member: string, name: string, signature: string, body: readonly Value[]): void {
    this.#connection.listen(`type='signal',interface='${INTERFACE}',member='JobRemoved',path='${PATH}'`);
    // Without a subscriber it says nothing on a bus.
    this.#connection.send({ path: PATH, interface: INTERFACE, member: "Subscribe" });
    const [job] = this.#call(member, signature, body);
    const removed = this.#connection.waitFor(
      "JobRemoved",
      ([, path]) => path === job,
      `${member} of ${name}`,
    );
    const [, , , result] = removed;
    if (result === "done") return;
    if (member === "StartTransientUnit") this.resetFailedUnit(name);
    throw new StateError("", `systemd: ${member} of ${name}: its job ended with "${result}"`);
  }

  #property(name: string): string {
    const [variant] = this.#connection.call({
      path: PATH,
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
      signature: "ss",
      body: [INTERFACE, name],
    });
    return `${(variant as Variant).value}`;
  }

  #call(member: string, signature: string, body: readonly Value[]): readonly Value[] {
    const call: Call = { path: PATH, interface: INTERFACE, member, signature, body };
    return this.#connection.call(call);
  }
}

function isError(error: unknown, name: string): boolean {
  return error instanceof DBusError && error.errorName === `org.freedesktop.systemd1.${name}`;
}

/** A bus with many clients refuses for a moment, and systemd too while it starts: runc's pauses, 13 s in all. */
const RETRY_MILLISECONDS = [100, 200, 400, 800, 1600, 3200, 6400];

function connectTo(place: Endpoint, timeoutMilliseconds: number): Connection {
  for (const pause of RETRY_MILLISECONDS) {
    try {
      return Connection.open(place, timeoutMilliseconds);
    } catch (error) {
      if (!isErrno(error, "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
    }
  }
  return Connection.open(place, timeoutMilliseconds);
}

function readEnvironment() {
  const names = ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] as const;
  return Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
}
