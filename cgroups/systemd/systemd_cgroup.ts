/**
 * A cgroup that belongs to systemd: a scope, a unit of processes that somebody else has started. systemd makes its
 * directories and moves the first process there; limits are given to systemd, and written to the files as well, for
 * systemd has no words for some.
 *
 * @module
 */
import { ConfigError, StateError } from "../../runtime/errors.ts";
import type { Resources } from "../../runtime/spec/resources.ts";
import type { AddOptions, Cgroup, Unit } from "../cgroup.ts";
import type { HierarchyCgroup } from "../hierarchy_cgroup.ts";
import type { Stats } from "../stats.ts";
import { Manager } from "./manager.ts";
import {
  deviceProperties,
  type Property,
  property,
  resourceProperties,
  withRoundQuota,
} from "./properties.ts";

/** What only a new scope needs. */
export interface NewScope {
  /** "machine-web.slice" */
  readonly slice: string;
  readonly description: string;
  /** Of annotations. */
  readonly properties: readonly Property[];
}

export class SystemdCgroup implements Cgroup {
  readonly adopts: boolean;
  readonly unit: Unit;
  readonly #files: HierarchyCgroup;
  readonly #scope: NewScope | undefined;
  #manager: Manager | undefined;

  /** @param scope absent for one that exists */
  constructor(files: HierarchyCgroup, unit: Unit, scope?: NewScope) {
    this.#files = files;
    this.unit = unit;
    this.#scope = scope;
    // A user may not move processes between cgroups of which root has the one above both: systemd does it.
    this.adopts = scope !== undefined || unit.manager === "user";
  }

  get paths(): Readonly<Record<string, string>> {
    return this.#files.paths;
  }

  get tasks(): readonly string[] {
    return this.#files.tasks;
  }

  entry(init?: number): string | undefined {
    return this.#files.entry(init);
  }

  create(resources: Resources, pid?: number): string[] {
    const scope = this.#scope;
    if (scope === undefined || pid === undefined) throw new Error("a scope is made around a process, once");
    const rounded = withRoundQuota(resources);
    try {
      this.#connect().startTransientUnit(this.unit.name, [
        property("Description", "s", scope.description),
        property("Slice", "s", scope.slice),
        property("PIDs", "au", [pid]),
        // Its cgroups below, and processes in them, are none of systemd's business.
        property("Delegate", "b", true),
        property("MemoryAccounting", "b", true),
        property("CPUAccounting", "b", true),
        property(this.#isV1() ? "BlockIOAccounting" : "IOAccounting", "b", true),
        property("TasksAccounting", "b", true),
        // It would have to end when the machine is shut down, and before that whatever it is in.
        property("DefaultDependencies", "b", false),
        ...this.#oomPolicy(resources),
        ...scope.properties,
        ...this.#properties(rounded),
      ]);
    } catch (error) {
      throw this.#named(error);
    }
    try {
      return this.#files.create(rounded);
    } catch (error) {
      this.delete();
      throw error;
    }
  }

  set(resources: Resources): string[] {
    const rounded = withRoundQuota(resources);
    // Before systemd writes it: what it kills is gone, and the unit with it.
    this.#files.check(rounded);
    const properties = this.#properties(rounded);
    const change = () => {
      if (properties.length > 0) this.#connect().setUnitProperties(this.unit.name, properties);
      return this.#files.set(rounded);
    };
    try {
      // With cgroup v1 systemd denies all devices before it allows some.
      const isSeen = this.#isV1() && rounded.devices !== undefined && !this.isFrozen();
      return isSeen ? this.#whileFrozen(change) : change();
    } catch (error) {
      throw this.#named(error);
    }
  }

  #whileFrozen<T>(change: () => T): T {
    this.freeze();
    try {
      return change();
    } finally {
      this.thaw();
    }
  }

  add(pid: number, options: AddOptions = {}): void {
    if (!this.adopts) return this.#files.add(pid, options);
    const { sub = "", init } = options;
    const unified = this.paths[""];
    const place = sub === "" && unified !== undefined
      ? this.entry(init)!.slice(unified.length)
      : sub && `/${sub}`;
    try {
      this.#connect().attachProcesses(this.unit.name, place, [pid]);
    } catch (error) {
      throw this.#named(error);
    }
  }

  pids(): number[] {
    return this.#files.pids();
  }

  freeze(): void {
    this.#files.freeze();
  }

  thaw(): void {
    this.#files.thaw();
  }

  isFrozen(): boolean {
    return this.#files.isFrozen();
  }

  kill(): void {
    this.#files.kill();
  }

  delete(): void {
    try {
      const manager = this.#connect();
      manager.stopUnit(this.unit.name);
      manager.resetFailedUnit(this.unit.name);
    } finally {
      this.#manager?.close();
      this.#manager = undefined;
      // What we have made ourselves: controllers that systemd does not know.
      this.#files.delete();
    }
  }

  stats(): Stats {
    return this.#files.stats();
  }

  oomKillCount(): number {
    return this.#files.oomKillCount();
  }

  delegate(uid: number, gid: number): void {
    this.#files.delegate(uid, gid);
  }

  #connect(): Manager {
    return this.#manager ??= Manager.connect(this.unit.manager);
  }

  #isV1(): boolean {
    return Object.keys(this.paths).some((name) => name !== "");
  }

  #properties(resources: Resources): Property[] {
    const settings = this.#files.settings(resources);
    return [
      ...resourceProperties(settings, () => this.#connect().version()),
      ...this.#isV1() ? deviceProperties(resources) : [],
    ];
  }

  /** What can be said of a unit only at its beginning. */
  #oomPolicy({ unified }: Resources): Property[] {
    const group = unified?.["memory.oom.group"]?.trim();
    // Scopes have it since then.
    if ((group !== "0" && group !== "1") || this.#connect().version() < 253) return [];
    return [property("OOMPolicy", "s", group === "1" ? "kill" : "continue")];
  }

  /** systemd's errors do not all say what they are about. */
  #named(error: unknown): unknown {
    if (!(error instanceof StateError) || error.message.includes(this.unit.name)) return error;
    return new ConfigError("/linux/cgroupsPath", `unit "${this.unit.name}": ${error.message}`);
  }
}
