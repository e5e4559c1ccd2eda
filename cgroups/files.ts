/** What making a cgroup writes, as data: for a container that makes its own. @module */
import { ConfigError } from "../runtime/errors.ts";
import type { Resources } from "../runtime/spec/resources.ts";
import type { FileController, Setting } from "./controller.ts";
import { CONTROLLERS } from "./controllers.ts";
import { allowsAll } from "./devices.ts";
import { pointerTo } from "./directory.ts";
import type { Hierarchy } from "./hierarchies.ts";
import { deviceList, transition } from "./v1/devices.ts";
import { deviceProgram } from "./v2/device_program.ts";

/** For one hierarchy. */
export interface CgroupFiles {
  readonly hierarchy: Hierarchy;
  readonly settings: readonly Setting[];
  /** Of cgroup v2: the controllers that those above have to hand down. */
  readonly controllers: readonly string[];
  /** Of cgroup v2: an eBPF program of the type BPF_PROG_TYPE_CGROUP_DEVICE. */
  readonly devices?: Uint8Array<ArrayBuffer>;
}

/**
 * Pure.
 *
 * @returns for each of `hierarchies` what is to be written to a new cgroup in it
 * @throws {ConfigError} for a member that needs a controller which is not there
 */
export function cgroupFiles(resources: Resources, hierarchies: readonly Hierarchy[]): CgroupFiles[] {
  const found = new Map(hierarchies.map((hierarchy) => [hierarchy, emptyFiles()]));
  for (const { v1, v2 } of CONTROLLERS) {
    const ofV1 = v1 && hierarchies.find(({ controllers }) => controllers.split(",").includes(v1.name));
    const hierarchy = ofV1 ?? (v2 && hierarchies.find(({ controllers }) => controllers === ""));
    const controller = (ofV1 ? v1 : v2) ?? v1!;
    const member = controller.asks(resources);
    if (member === undefined) continue;
    if (hierarchy === undefined) {
      throw new ConfigError(
        pointerTo(member),
        `cannot be set: no cgroup hierarchy with "${controller.name}" is mounted`,
      );
    }
    const files = found.get(hierarchy)!;
    if (controller.name === "devices") {
      const rules = resources.devices!;
      if (ofV1) files.settings.push(...deviceSettings(rules));
      else if (!allowsAll(rules)) files.devices = deviceProgram(rules);
      continue;
    }
    files.settings.push(...(controller as FileController).settings(resources));
    if (ofV1) continue;
    // "unified" names files, whose names begin with those of their controllers. "cgroup" is none.
    const names = controller.name === "unified"
      ? Object.keys(resources.unified!).map((file) => file.split(".")[0]!)
      : [controller.name];
    files.controllers.push(...names.filter((name) => name !== "cgroup" && !files.controllers.includes(name)));
  }
  return [...found].map(([hierarchy, files]) => ({ hierarchy, ...files }));
}

function emptyFiles(): { settings: Setting[]; controllers: string[]; devices?: Uint8Array<ArrayBuffer> } {
  return { settings: [], controllers: [] };
}

/** From the list of a new cgroup, which has that of the root: all is allowed. */
function deviceSettings(rules: NonNullable<Resources["devices"]>): Setting[] {
  return transition({ allowByDefault: true, exceptions: new Map() }, deviceList(rules))
    .map(({ file, value }) => ({ file, value, member: "/devices" }));
}
