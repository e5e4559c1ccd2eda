/** Configs of real engines as this machine can run them. @module */
import type { Config } from "../../runtime/spec/config.ts";
import type { Box } from "../support/fixture.ts";

/** A bundle that Container.create takes. */
export interface GoldenBundle {
  readonly id: string;
  readonly path: string;
  readonly config: Config;
  /** Where the state of containers is kept. */
  readonly root: string;
}

export const GOLDEN = [
  "docker-default",
  "docker-hardened",
  "docker-limits",
  "podman-default",
  "podman-userns",
] as const;

/** Makes a bundle that runs /bin/true as tests/golden/`golden` would have it. */
export function goldenBundle(box: Box, golden: typeof GOLDEN[number]): GoldenBundle {
  const { path, rootfs, config } = box.bundle({
    golden,
    args: ["/bin/true"],
    config: {
      linux: { cgroupsPath: `/${box.id}` },
      hooks: { prestart: [{ path: "/bin/true" }] },
      // As many as everybody may have: raising them takes CAP_SYS_RESOURCE.
      process: { rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 100 }] },
    },
  });
  chown(rootfs, config.linux?.uidMappings?.[0]?.hostID ?? 0);
  return { id: box.id, path, config, root: box.state };
}

/** As Podman gives an image to the container's root. */
function chown(directory: string, owner: number): void {
  Deno.chownSync(directory, owner, owner);
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) chown(`${directory}/${name}`, owner);
  }
}
