/** Id-mapped mounts: by maps of their own, and by the container's. */

import { afterMounting, type Box, type Case, containerCases } from "../support/fixture.ts";

const MAPS = {
  uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
};
const ONE_TO_ONE = {
  uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }, { containerID: 5, hostID: 0, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 1001, size: 1 }, { containerID: 5, hostID: 0, size: 1 }],
};
const USER = {
  linux: { namespaces: ["mount", "pid", "user"].map((type) => ({ type: type as "pid" })), ...MAPS },
};
const BARE = {
  hostname: null,
  mounts: [{ destination: "/proc", type: "proc" }, { destination: "/dev", type: "tmpfs" }],
};

/** A tree with a mount below it, each with a file of root and one of user 5. */
function tree(box: Box): { path: string; under: string[] } {
  const path = `${box.directory}/tree`;
  const files = (directory: string) =>
    `touch ${directory}/root ${directory}/five; chown 5:5 ${directory}/five`;
  return {
    path,
    under: afterMounting(`mkdir -p ${path}/sub; ${files(path)}
      mount -t tmpfs tmpfs ${path}/sub; ${files(`${path}/sub`)}`),
  };
}

/** Owners of the four files, and of one that the container makes. */
const OWNERS = "cd /tmp; stat -c '%u:%g' root five sub/root sub/five; touch new && stat -c '%u:%g' new";

function idmapped(
  mount: { options: readonly string[]; maps?: typeof MAPS },
  config: Case["config"],
  stdout: string,
): (box: Box) => Case {
  return (box) => {
    const { path, under } = tree(box);
    const { options, maps } = mount;
    return {
      config: { ...BARE, ...config },
      mounts: [{ destination: "/tmp", source: path, type: "bind", options, ...maps }],
      under,
      script: OWNERS,
      stdout,
    };
  };
}

containerCases({
  "idmap: maps of the mount, without a user namespace": idmapped(
    { options: ["rbind", "idmap"], maps: ONE_TO_ONE },
    { process: { user: { uid: 1000, gid: 1001 } } },
    // The mount below keeps its owners.
    "1000:1001\n0:0\n0:0\n5:5\n1000:1001",
  ),
  "idmap: maps alone are enough": idmapped(
    { options: ["rbind"], maps: ONE_TO_ONE },
    { process: { user: { uid: 1000, gid: 1001 } } },
    "1000:1001\n0:0\n0:0\n5:5\n1000:1001",
  ),
  "ridmap: maps of the mount, for the mounts below as well": idmapped(
    { options: ["rbind", "ridmap"], maps: ONE_TO_ONE },
    { process: { user: { uid: 1000, gid: 1001 } } },
    "1000:1001\n0:0\n1000:1001\n0:0\n1000:1001",
  ),
  "idmap: maps of the container": idmapped(
    { options: ["rbind", "idmap"] },
    USER,
    "0:0\n5:5\n65534:65534\n65534:65534\n0:0",
  ),
  "ridmap: maps of the container": idmapped(
    { options: ["rbind", "ridmap"] },
    USER,
    "0:0\n5:5\n0:0\n5:5\n0:0",
  ),
  "ridmap: maps of the mount, in a user namespace": idmapped(
    {
      options: ["rbind", "ridmap"],
      maps: {
        uidMappings: [{ containerID: 0, hostID: 101000, size: 6 }],
        gidMappings: [{ containerID: 0, hostID: 101000, size: 6 }],
      },
    },
    { ...USER, process: { user: { uid: 1000, gid: 1000 } } },
    "1000:1000\n1005:1005\n1000:1000\n1005:1005\n1000:1000",
  ),
  "idmap: of one file": (box) => {
    const path = `${box.directory}/file`;
    Deno.writeTextFileSync(path, "text");
    return {
      mounts: [{ destination: "/f", source: path, options: ["bind", "idmap"], ...ONE_TO_ONE }],
      script: "stat -c '%u:%g' /f",
      stdout: "1000:1001",
    };
  },
  "idmap: on a filesystem that cannot do it": {
    mounts: [{ destination: "/p", source: "/proc", options: ["rbind", "idmap"], ...ONE_TO_ONE }],
    stderr: /^hako: bind \/proc on \/p: mount_setattr\(.*\/mounts\/7\n$/,
    status: 1,
  },
  "idmap: without any maps": {
    mounts: [{ destination: "/t", source: "/etc", options: ["rbind", "idmap"] }],
    stderr: /^hako: .*\/mounts\/7/,
    status: 1,
  },
});
