/**
 * Images that have all that a runtime touches, one thing of it replaced.
 *
 * @module
 */
import type { Config } from "../../runtime/spec/config.ts";
import { makeConfig } from "../support/bundle.ts";
import type { Box } from "../support/fixture.ts";
import type { Attack } from "./attack.ts";
import { type Canary, makeTree } from "./canary.ts";

export interface ImageOptions {
  readonly canary: Canary;
  /** Mount nothing on these: the image's own is used. */
  readonly without?: readonly string[];
  /** The path of what is replaced, and what makes the other thing there. */
  readonly place: string;
  readonly make: (path: string) => void;
  /** Make a tree in the image that has the path of the host's canary. */
  readonly shadow?: boolean;
}

/** Makes the image with a config that touches all of it. Only one at a time. */
export function hostileImage(box: Box, options: ImageOptions): Attack {
  const { canary, place, make, shadow = false, without = [] } = options;
  const bundle = `${box.directory}/hostile`;
  const rootfs = `${bundle}/rootfs`;
  removeIfThere(bundle);
  for (const name of ["/bin", "/dev", "/proc", "/sys"]) Deno.mkdirSync(rootfs + name, { recursive: true });
  Deno.linkSync(source(box, "true"), `${rootfs}/bin/true`);
  for (const name of ["masked", "readonly", "scratch"]) makeTree(`${rootfs}/${name}`);
  if (shadow) makeTree(rootfs + canary.directory);
  const path = rootfs + place;
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  removeIfThere(path);
  make(path);
  return { id: box.id, config: touchAll(box, without), bundle, root: box.state, canary };
}

function touchAll(box: Box, without: readonly string[]): Config {
  const config = makeConfig("", {
    args: ["/bin/true"],
    config: {
      process: { cwd: "/work/dir", terminal: without.length > 0 },
      linux: {
        maskedPaths: ["/masked/file", "/masked/dir"],
        readonlyPaths: ["/readonly/dir"],
        devices: [{ path: "/nodes/null", type: "c", major: 1, minor: 3, uid: 7, gid: 7 }],
      },
    },
    mounts: [
      { destination: "/data/deep/target", type: "bind", source: source(box, "tree/dir"), options: ["bind"] },
      {
        destination: "/etc/resolv.conf",
        type: "bind",
        source: source(box, "tree/file"),
        options: ["bind", "ro"],
      },
      { destination: "/scratch/dir", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
    ],
  });
  return { ...config, mounts: config.mounts!.filter(({ destination }) => !without.includes(destination)) };
}

/** A file that images link to, or that is bound into containers. */
function source(box: Box, name: string): string {
  const directory = `${box.directory}/source`;
  try {
    Deno.mkdirSync(directory);
    makeTree(`${directory}/tree`);
    Deno.copyFileSync("/bin/busybox", `${directory}/true`);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return `${directory}/${name}`;
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
