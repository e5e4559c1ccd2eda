/** Configs of real engines as this machine can run them, and one with what they do not ask for. @module */
import type { CreateOptions } from "../../runtime/container/create.ts";
import type { Capabilities, Config } from "../../runtime/spec/config.ts";
import { engineConfig } from "../support/bundle.ts";
import type { Box } from "../support/fixture.ts";
import { Holder } from "./holder.ts";
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
  readonly options: Pick<CreateOptions, "consoleSocket" | "pidfdSocket" | "notify" | "preserveFds">;
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

/** What the runtime does for these it does for the others too: they are for the steps of their plans. */
export const PLANS = [
  "docker-detached",
  "docker-init",
  "docker-privileged",
  "docker-tty",
  "joined-namespaces",
  "podman-limits",
  "rootless",
] as const;

/** In addition: rarely_used.ts. */
export const RARELY_USED = "rarely-used";

export const CONFIGS = [...GOLDEN, RARELY_USED] as const;

export type ConfigName = typeof CONFIGS[number] | typeof PLANS[number];

/** Makes the bundle of a config. It runs /bin/true. */
export function faultBundle(box: Box, name: ConfigName): GoldenBundle {
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

/** Not everybody who is root has it. Without it limits can only be lowered. */
const RAISES_LIMITS = "CAP_SYS_RESOURCE";

/** Makes a bundle that runs /bin/true as tests/golden/`golden` would have it. */
export function goldenBundle(box: Box, golden: Exclude<ConfigName, typeof RARELY_USED>): GoldenBundle {
  const capabilities: Capabilities = engineConfig(golden).process?.capabilities ?? {};
  const { path, rootfs, config } = box.bundle({
    golden,
    args: ["/bin/true"],
    config: {
      linux: { cgroupsPath: `/${box.id}` },
      hooks: { prestart: [{ path: "/bin/true" }] },
      process: {
        capabilities: Object.fromEntries(
          Object.entries(capabilities).map(([set, names]: [string, readonly string[]]) => [
            set,
            names.filter((name) => name !== RAISES_LIMITS),
          ]),
        ),
        rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 100 }],
      },
    },
  });
  chown(rootfs, config.linux?.uidMappings?.[0]?.hostID ?? 0);
  const { namespaces = [] } = config.linux!;
  const holder = namespaces.some(({ path }) => path !== undefined) ? new Holder() : undefined;
  const consoleSocket = config.process?.terminal ? `${box.directory}/console` : undefined;
  const receivers = consoleSocket === undefined ? undefined : new Receivers([consoleSocket]);
  return {
    id: box.id,
    path,
    config: holder === undefined
      ? config
      : { ...config, linux: { ...config.linux, namespaces: holder.inPlaceOf(namespaces) } },
    root: box.state,
    options: consoleSocket === undefined ? {} : { consoleSocket },
    renew: () => receivers?.empty(),
    close() {
      receivers?.close();
      holder?.end();
    },
  };
}

/** As Podman gives an image to the container's root. */
function chown(directory: string, owner: number): void {
  Deno.chownSync(directory, owner, owner);
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) chown(`${directory}/${name}`, owner);
  }
}
