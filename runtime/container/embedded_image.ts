/** A bundle's root filesystem as an image, for an executable. @module */
import { StateError } from "../errors.ts";
import type { Image } from "../init/executable.ts";
import type { ImageType } from "../plan/embedded.ts";
import type { Bundle } from "./bundle.ts";
import { runProgram } from "./program.ts";
import { makeFile } from "./temporary.ts";

/** Who makes it, of which package. The same files give the same image: no random UUID, no time. */
const MAKERS: Readonly<
  Record<ImageType, { readonly package: string; command(rootfs: string, file: string): readonly string[] }>
> = {
  erofs: {
    package: "erofs-utils",
    command: (rootfs, file) => [
      "mkfs.erofs",
      "-zlz4hc",
      "-U00000000-0000-0000-0000-000000000000",
      file,
      rootfs,
    ],
  },
  squashfs: {
    package: "squashfs-tools",
    command: (rootfs, file) => ["mksquashfs", rootfs, file, "-noappend", "-no-progress", "-mkfs-time", "0"],
  },
};

/**
 * An image with all that is in the bundle's root filesystem.
 *
 * @throws {StateError} if it cannot be made
 */
export function makeImage({ path, config }: Bundle, type: ImageType): Image {
  const { root } = config;
  const rootfs = root.path.startsWith("/") ? root.path : `${path}/${root.path}`;
  const file = makeFile(Deno.env.get("TMPDIR") ?? "/tmp", "hako-image-");
  try {
    const command = MAKERS[type].command(rootfs, file);
    const { status, output } = runProgram({ path: "/usr/bin/env", args: ["env", ...command] });
    if (status.kind === "exited" && status.code === 127) {
      throw new StateError(
        "",
        `to embed a root filesystem takes ${command[0]}, of the package ${MAKERS[type].package}`,
      );
    }
    if (status.kind !== "exited" || status.code !== 0) {
      throw new StateError("", `${command[0]}: ${output.trim()}`);
    }
    return { type, bytes: Deno.readFileSync(file) };
  } finally {
    Deno.removeSync(file);
  }
}
