/** Every option of runtime/plan/mount_options.ts on the real kernel. */

import { assertEquals } from "@std/assert";
import { mountOptionNames } from "../../runtime/plan/mount_options.ts";
import { afterMounting, containerTest } from "../support/fixture.ts";
import { parseMounts } from "../support/mountinfo.ts";

/** Two trees of two mounts each: one without any restriction, one with all of them. */
const TREES = {
  open: "rw,relatime",
  strict: "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow",
} as const;

function makeTrees(directory: string): string {
  return Object.entries(TREES).map(([name, options]) => `
    mkdir ${directory}/${name}
    mount -t tmpfs tmpfs ${directory}/${name}
    mkdir ${directory}/${name}/sub
    mount -t tmpfs tmpfs ${directory}/${name}/sub
    mount -o remount,bind,${options} ${directory}/${name}/sub
    mount -o remount,bind,${options} ${directory}/${name}
  `).join("");
}

/** What an attribute does to the options of the trees: `ro` turns "rw" into "ro" and leaves "ro" as it is. */
const ATTRIBUTES: Readonly<Record<string, (options: Set<string>) => void>> = {
  ro: (options) => replace(options, "rw", "ro"),
  rw: (options) => replace(options, "ro", "rw"),
  nosuid: (options) => options.add("nosuid"),
  suid: (options) => options.delete("nosuid"),
  nodev: (options) => options.add("nodev"),
  dev: (options) => options.delete("nodev"),
  noexec: (options) => options.add("noexec"),
  exec: (options) => options.delete("noexec"),
  nodiratime: (options) => options.add("nodiratime"),
  diratime: (options) => options.delete("nodiratime"),
  nosymfollow: (options) => options.add("nosymfollow"),
  symfollow: (options) => options.delete("nosymfollow"),
  noatime: (options) => replace(options, "relatime", "noatime"),
  atime: (options) => replace(options, "noatime", "relatime"),
  relatime: (options) => replace(options, "noatime", "relatime"),
  norelatime: (options) => replace(options, "noatime", "relatime"),
  nostrictatime: (options) => replace(options, "noatime", "relatime"),
  // Shown as none of the three.
  strictatime: (options) => ["noatime", "relatime"].forEach((option) => options.delete(option)),
};

function replace(options: Set<string>, before: string, after: string): void {
  if (options.delete(before)) options.add(after);
}

function sorted(options: Iterable<string>): string {
  return [...options].sort().join();
}

containerTest(
  "attributes: each alone and recursively, on bind mounts of open and of strict trees",
  async (box) => {
    const names = Object.keys(ATTRIBUTES).flatMap((name) => [name, `r${name}`]);
    const trees = Object.keys(TREES) as (keyof typeof TREES)[];
    const options = {
      args: ["cat", "/proc/self/mountinfo"],
      mounts: names.flatMap((name) =>
        trees.map((tree) => ({
          destination: `/t/${name}/${tree}`,
          source: `${box.directory}/${tree}`,
          type: "bind",
          options: ["rbind", name],
        }))
      ),
      under: afterMounting(makeTrees(box.directory)),
    };
    const { stdout, stderr } = await box.run(options);
    assertEquals(stderr, "");
    const found = parseMounts(stdout).filter(({ path }) => path.startsWith("/t/"))
      .map(({ path, options }) => [path, sorted(options.split(","))]);
    const expected = names.flatMap((name) =>
      trees.flatMap((tree) =>
        ["", "/sub"].map((below) => {
          const options = new Set(TREES[tree].split(","));
          const recursive = !(name in ATTRIBUTES);
          if (recursive || below === "") ATTRIBUTES[recursive ? name.slice(1) : name]!(options);
          return [`/t/${name}/${tree}${below}`, sorted(options)];
        })
      )
    );
    assertEquals(found, expected);
  },
);

/** An option, and what mountinfo shows in one of the three places: of the mount, its propagation, the filesystem. */
const OF_A_FILESYSTEM: Readonly<
  Record<string, { options?: string; propagation?: string; superOptions?: string }>
> = {
  ro: { options: "ro,relatime", superOptions: "rw" },
  "ro,rw": {},
  nosuid: { options: "rw,nosuid,relatime" },
  "nosuid,suid": {},
  noexec: { options: "rw,noexec,relatime" },
  nodev: { options: "rw,nodev,relatime" },
  noatime: { options: "rw,noatime" },
  strictatime: { options: "rw" },
  nodiratime: { options: "rw,nodiratime,relatime" },
  nosymfollow: { options: "rw,relatime,nosymfollow" },
  rro: { options: "ro,relatime" },
  sync: { superOptions: "rw,sync" },
  "sync,async": {},
  dirsync: { superOptions: "rw,dirsync" },
  lazytime: { superOptions: "rw,lazytime" },
  "lazytime,nolazytime": {},
  mand: { superOptions: "rw,mand" },
  "mand,nomand": {},
  nomand: {},
  defaults: {},
  silent: {},
  loud: {},
  iversion: {},
  noiversion: {},
  shared: { propagation: "shared" },
  rshared: { propagation: "shared" },
  slave: {}, // Of nobody.
  "shared,slave": {},
  private: {},
  rprivate: {},
  rslave: {},
  unbindable: { propagation: "unbindable" },
  runbindable: { propagation: "unbindable" },
  "unbindable,private": {},
  "size=64k": { superOptions: "rw,size=64k" },
  "mode=700,uid=5,gid=7": { superOptions: "rw,mode=700,uid=5,gid=7" },
  "nr_inodes=10": { superOptions: "rw,nr_inodes=10" },
  tmpcopyup: {},
};

containerTest("filesystems: each option of a tmpfs", async (box) => {
  const names = Object.keys(OF_A_FILESYSTEM);
  const { stdout, stderr } = await box.run({
    args: ["cat", "/proc/self/mountinfo"],
    mounts: names.map((name, index) => ({
      destination: `/t/${index}`,
      type: "tmpfs",
      options: name.split(","),
    })),
  });
  assertEquals(stderr, "");
  const found = parseMounts(stdout).filter(({ path }) => path.startsWith("/t/")).map(
    ({ options, propagation, superOptions }, index) => ({
      name: names[index],
      options,
      propagation,
      // Ours, of mount targets that are missing.
      superOptions: superOptions.replace(/,mode=755$/, ""),
    }),
  );
  const expected = Object.entries(OF_A_FILESYSTEM).map(([name, changed]) => ({
    name,
    options: "rw,relatime",
    propagation: "",
    superOptions: "rw",
    ...changed,
  }));
  assertEquals(found, expected);
});

Deno.test("every option of the table is tried", () => {
  const tried = [...Object.keys(OF_A_FILESYSTEM).join().split(","), ...Object.keys(ATTRIBUTES)];
  // In mounts_test.ts.
  const elsewhere = [
    "bind",
    "rbind",
    "remount",
    "idmap",
    "ridmap",
    "copy-symlink",
    "src-nofollow",
    "dest-nofollow",
  ];
  const missing = mountOptionNames().filter((name) =>
    ![...tried, ...elsewhere].includes(name) && !tried.includes(name.replace(/^r/, ""))
  );
  assertEquals(missing, []);
});

/** What becomes of a mount and of the one below it, both of which are slaves of the host's when they arrive. */
const PROPAGATION: Readonly<Record<string, readonly [top: string, below: string]>> = {
  rbind: ["master", "master"],
  shared: ["master,shared", "master"],
  rshared: ["master,shared", "master,shared"],
  slave: ["master", "master"],
  rslave: ["master", "master"],
  private: ["", "master"],
  rprivate: ["", ""],
  unbindable: ["unbindable", "master"],
  runbindable: ["unbindable", "unbindable"],
};

containerTest("propagation of bind mounts, each alone and recursively", async (box) => {
  const { stdout, stderr } = await box.run({
    args: ["cat", "/proc/self/mountinfo"],
    mounts: Object.keys(PROPAGATION).map((type) => ({
      destination: `/t/${type}`,
      source: `${box.directory}/open`,
      options: ["rbind", type],
    })),
    under: afterMounting(`${makeTrees(box.directory)} mount --make-rshared /`),
  });
  assertEquals(stderr, "");
  const found = parseMounts(stdout).filter(({ path }) => path.startsWith("/t/"))
    .map(({ path, propagation }) => [path, propagation]);
  const expected = Object.entries(PROPAGATION).flatMap(([type, [top, below]]) => [
    [`/t/${type}`, top],
    [`/t/${type}/sub`, below],
  ]);
  assertEquals(found, expected);
});
