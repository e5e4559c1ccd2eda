/** The root filesystem: read-only, propagation, `--no-pivot`, and without a mount namespace. */

import type { RootfsPropagation } from "../../runtime/spec/config.ts";
import { capabilities } from "../support/bundle.ts";
import { afterMounting, containerCases, inMountNamespace } from "../support/fixture.ts";

const ROOT_LINE = "awk '$5 == \"/\"' /proc/self/mountinfo";

containerCases({
  "readonly: the root, but not what is mounted on it": {
    config: { root: { readonly: true } },
    script: `touch /x; touch /dev/shm/x && ${ROOT_LINE} | cut -d ' ' -f 6`,
    stdout: "ro,relatime",
    stderr: "touch: /x: Read-only file system",
  },
  "readonly: targets that are missing are made all the same": {
    config: { root: { readonly: true }, process: { cwd: "/new/cwd" } },
    mounts: [{ destination: "/new/target", type: "tmpfs" }],
    script: "pwd; ls /new; touch target",
    stdout: "/new/cwd\ncwd\ntarget",
    stderr: "touch: target: Read-only file system",
    status: 1,
  },
  "writable: only the container's own mount is read-only or not": {
    under: ["sh", "-c", '"$@"; touch /hako-test && rm /hako-test', "sh"],
    config: { root: { readonly: true } },
    script: "true",
  },
  "nothing of the host is left to be seen": {
    script: "cut -d ' ' -f 5 /proc/self/mountinfo | sort; ls /; ls -a /.. | wc -l; ls -a / | wc -l",
    config: {
      linux: { maskedPaths: [], readonlyPaths: [] },
      mounts: [{ destination: "/proc", type: "proc" }],
    },
    stdout: "/\n/proc\nbin\ndev\netc\nproc\nroot\nsys\ntmp\n9\n9",
  },
  "an absolute root.path": (box) => ({
    config: { root: { path: `${box.directory}/elsewhere` } },
    image: (rootfs) => Deno.renameSync(rootfs, `${box.directory}/elsewhere`),
    script: "echo found",
    stdout: "found",
  }),
  "a root that has mounts below it takes them along": (box) => ({
    config: { root: { path: `${box.directory}/tree` } },
    image: (rootfs) => Deno.renameSync(rootfs, `${box.directory}/tree`),
    under: afterMounting(
      `mount -t tmpfs tmpfs ${box.directory}/tree/root; touch ${box.directory}/tree/root/file`,
    ),
    script: "ls /root",
    stdout: "file",
  }),
  "a root on a tmpfs and on an overlay": (box) => ({
    under: afterMounting(`cd ${box.directory}/bundle0; mkdir upper work merged
      mount -t tmpfs tmpfs upper; mkdir upper/u upper/w
      mount -t overlay -o lowerdir=rootfs,upperdir=upper/u,workdir=upper/w overlay merged`),
    config: { root: { path: "merged" } },
    script: `echo ok > /new; cat /new; ${ROOT_LINE} | grep -c overlay`,
    stdout: "ok\n1",
  }),

  "--no-pivot": {
    options: ["--no-pivot"],
    script: `ls /; ${ROOT_LINE} | wc -l; touch /x; mount | grep -c ' on /proc '`,
    config: { root: { readonly: true } },
    stdout: "bin\ndev\netc\nproc\nroot\nsys\ntmp\n1\n1",
    stderr: "touch: /x: Read-only file system",
  },
  // The kernel allows it who can see another one in full (mount_too_revealing() in fs/namespace.c): the host's.
  ...Object.fromEntries([[], ["--no-pivot"]].map((options) => [
    ["a second /proc, without masks, cannot be mounted", ...options].join(" "),
    {
      options,
      config: { process: { user: { uid: 1000, gid: 1000 } } },
      script: "unshare -Urmpf mount -t proc proc /tmp; echo $?",
      stdout: "1",
      stderr: "mount: permission denied (are you root?)",
    },
  ])),
  "--no-pivot: on a ramfs": (box) => ({
    options: ["--no-pivot"],
    // A namespace whose root is a ramfs, as that of an initramfs is.
    under: afterMounting(`mkdir ${box.directory}/ram
      mount -t ramfs ramfs ${box.directory}/ram; cp -a ${box.directory}/bundle0/rootfs ${box.directory}/ram/`),
    config: { root: { path: `${box.directory}/ram/rootfs` } },
    script: "echo ok",
    stdout: "ok",
  }),
});

containerCases({
  "without a mount namespace the mounts are the caller's, but below the root filesystem only": (box) => ({
    config: { linux: { namespaces: [{ type: "pid" }], maskedPaths: [], readonlyPaths: [] }, hostname: null },
    under: inMountNamespace(`cut -d ' ' -f 5 /proc/self/mountinfo > ${box.directory}/before
      "$@"
      cut -d ' ' -f 5 /proc/self/mountinfo | grep -vxFf ${box.directory}/before |
        grep -v '^${box.directory}/bundle0/rootfs/' || echo none elsewhere`),
    script: "ls /; echo $$; test -c /dev/null && echo x > /dev/null",
    stdout: "bin\ndev\netc\nproc\nroot\nsys\ntmp\n1\nnone elsewhere",
  }),
});

/** What the container's root becomes, if the host's mounts are shared or private. */
const PROPAGATION: Readonly<Record<string, readonly [shared: RegExp, private_: RegExp]>> = {
  // "relatime" is followed by the optional fields, and " - " ends them.
  shared: [/relatime shared:\d+ -/, /relatime shared:\d+ -/],
  rshared: [/relatime shared:\d+ -/, /relatime shared:\d+ -/],
  slave: [/relatime master:\d+ -/, /relatime -/],
  rslave: [/relatime master:\d+ -/, /relatime -/],
  private: [/relatime -/, /relatime -/],
  rprivate: [/relatime -/, /relatime -/],
  unbindable: [/relatime unbindable -/, /relatime unbindable -/],
  runbindable: [/relatime unbindable -/, /relatime unbindable -/],
};

for (const [value, expected] of Object.entries(PROPAGATION)) {
  containerCases(Object.fromEntries(["shared", "private"].map((host, index) => [
    `rootfsPropagation ${value} under ${host} mounts of the host`,
    (box) => ({
      config: { linux: { rootfsPropagation: value as "shared" } },
      under: afterMounting(`mount --bind ${box.directory} ${box.directory}; mount --make-r${host} /`),
      script: ROOT_LINE,
      stdout: expected[index]!,
    }),
  ])));
}

/** rootfsPropagation, the option of a volume, and whether mounts in it travel from the host, and to the host. */
const TRAVEL: readonly [root: RootfsPropagation, volume: string, inwards: boolean, outwards: boolean][] = [
  // As Docker asks for its three kinds of volumes.
  ["shared", "rshared", true, true],
  ["rslave", "rslave", true, false],
  ["private", "rprivate", false, false],
  ["rshared", "shared", true, true],
  ["rslave", "rshared", true, false],
  ["rprivate", "rshared", false, false],
];

for (const [root, volume, inwards, outwards] of TRAVEL) {
  containerCases({
    [
      `mounts in a ${volume} volume, rootfsPropagation ${root}: ${inwards ? "come in" : "stay out"}, ${
        outwards ? "go out" : "stay in"
      }`
    ]: (box) => {
      const path = `${box.directory}/volume`;
      return {
        config: {
          linux: { rootfsPropagation: root },
          process: { capabilities: capabilities("CAP_SYS_ADMIN") },
        },
        mounts: [{ destination: "/volume", source: path, options: ["rbind", volume] }],
        under: inMountNamespace(`mkdir ${path}; mount -t tmpfs tmpfs ${path}; mount --make-shared ${path}
          mkdir ${path}/in ${path}/out
          "$@" &
          until [ -e ${path}/made ]; do sleep 0.01; done
          mount -t tmpfs tmpfs ${path}/in; touch ${path}/in/from-host ${path}/made-too
          wait; ls ${path}/out`),
        script: `mount -t tmpfs tmpfs /volume/out; touch /volume/out/from-container /volume/made
          until [ -e /volume/made-too ]; do sleep 0.01; done
          ls /volume/in`,
        stdout: [...inwards ? ["from-host"] : [], ...outwards ? ["from-container"] : []].join("\n"),
      };
    },
  });
}
