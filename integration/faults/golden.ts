/** Configs of real engines as this machine can run them, and one with what they do not ask for. @module */
import type { CreateOptions } from "../../runtime/container/create.ts";
import type { Config } from "../../runtime/spec/config.ts";
import type { Box } from "../support/fixture.ts";
import {
  Home,
  makeNetDevice,
  rarelyUsed,
  rarelyUsedImage,
  Receivers,
  removeNetDevice,
} from "./rarely_used.ts";

/** A bundle that Container.create takes. */
export interface GoldenBundle {
  readonly id: string;
  readonly path: string;
  readonly config: Config;
  /** Where the state of containers is kept. */
  readonly root: string;
  /** What else it is created with. */
  readonly options: Pick<CreateOptions, "consoleSocket" | "pidfdSocket">;
  /** To be called before each container: what the last one has used up is there again. */
  renew(): void;
  /** To be called at the end. */
  close(): void;
}

export const GOLDEN = [
  "docker-default",
  "docker-hardened",
  "docker-limits",
  "podman-default",
  "podman-userns",
] as const;

/** In addition: rarely_used.ts. */
export const RARELY_USED = "rarely-used";

export const CONFIGS = [...GOLDEN, RARELY_USED] as const;

/** Makes the bundle of one of {@linkcode CONFIGS}. It runs /bin/true. */
export function faultBundle(box: Box, name: typeof CONFIGS[number]): GoldenBundle {
  return name === RARELY_USED ? rarelyUsedBundle(box) : goldenBundle(box, name);
}

function rarelyUsedBundle(box: Box): GoldenBundle {
  const { directory, id, state: root } = box;
  const { path, config } = box.bundle({
    args: ["/bin/true"],
    image: rarelyUsedImage,
    config: { ...rarelyUsed(id, directory), ociVersion: "1.3.0" },
  });
  const paths = ["console", "pidfd", "listener"].map((name) => `${directory}/${name}`);
  const receivers = new Receivers(paths);
  const home = new Home();
  return {
    id,
    path,
    root,
    config: { ...config, linux: { ...config.linux, cgroupsPath: `/${id}` } },
    options: { consoleSocket: paths[0]!, pidfdSocket: paths[1]! },
    renew() {
      home.return();
      receivers.empty();
      makeNetDevice(id);
    },
    close() {
      receivers.close();
      home.return();
      home.close();
      removeNetDevice(id);
    },
  };
}

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
  return { id: box.id, path, config, root: box.state, options: {}, renew() {}, close() {} };
}

/** As Podman gives an image to the container's root. */
function chown(directory: string, owner: number): void {
  Deno.chownSync(directory, owner, owner);
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) chown(`${directory}/${name}`, owner);
  }
}
