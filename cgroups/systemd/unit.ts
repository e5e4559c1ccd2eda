/** The names of systemd's units. Pure. @see systemd.unit(5), systemd.slice(5) @module */
import { ConfigError } from "../../runtime/errors.ts";

const POINTER = "/linux/cgroupsPath";

/** Where a container's scope is to be. */
export interface UnitName {
  /** "machine-web.slice" */
  readonly slice: string;
  /** "hako-ID.scope" */
  readonly scope: string;
}

/**
 * What "slice:prefix:name" in config.json /linux/cgroupsPath names. Without a slice it is that of all services, or of all
 * programs of a user; without a path the name is the id.
 *
 * @throws {ConfigError} if it is of another form
 */
export function parseUnitName(cgroupsPath: string, { id, user }: { id: string; user: boolean }): UnitName {
  const parts = cgroupsPath === "" ? ["", "hako", id] : cgroupsPath.split(":");
  const [slice = "", prefix = "", name = ""] = parts;
  if (parts.length !== 3 || name === "") {
    throw new ConfigError(
      POINTER,
      `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "${cgroupsPath}" instead`,
    );
  }
  // Containers in a slice would be a unit that has no processes.
  if (name.endsWith(".slice")) throw new ConfigError(POINTER, `must name a scope: "${name}" is a slice`);
  const scope = `${prefix === "" ? "" : `${prefix}-`}${name}.scope`;
  // What systemd allows in a name. A slash would lead elsewhere.
  if (!/^[\w:.@\\-]{1,255}$/.test(scope)) {
    throw new ConfigError(POINTER, `systemd allows no unit of the name "${scope}"`);
  }
  return { slice: slice || (user ? "user.slice" : "system.slice"), scope };
}

/**
 * The cgroup of a slice: "a-b.slice" is in "a.slice", so it is "/a.slice/a-b.slice". "-.slice" is the root: "".
 *
 * @throws {ConfigError} if it is no name of a slice
 */
export function expandSlice(slice: string): string {
  const name = /^([^/]+)\.slice$/.exec(slice)?.[1];
  if (name === "-") return "";
  const parts = name?.split("-") ?? [""];
  if (parts.includes("")) throw new ConfigError(POINTER, `invalid slice name: ${slice}`);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("-")}.slice`).join("");
}
