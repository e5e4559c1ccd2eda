import { assertEquals } from "@std/assert";
import { errorsIn } from "../../../../runtime/container/criu/client.ts";
import { dumpOptions, restoreOptions } from "../../../../runtime/container/criu/options.ts";
import { testConfig } from "../../plan/fixture.ts";

const config = testConfig();
const folders = { images: 10, work: 11 };
const common = {
  images_dir_fd: 10,
  work_dir_fd: 11,
  log_level: 4,
  notify_scripts: true,
  manage_cgroups: true,
  manage_cgroups_mode: 3,
  empty_ns: 0x40000000,
  orphan_pts_master: true,
  config_file: "/etc/criu/runc.conf",
};
const saved = {
  config,
  pid: 5,
  rootfs: "/r",
  freezer: "/f",
  external: ["net[7]:extRootNetNS"],
  mounts: [{ key: "/m", val: "/m" }],
};

Deno.test("what CRIU is told to save", () => {
  const dump = {
    ...common,
    log_file: "dump.log",
    pid: 5,
    root: "/r",
    freeze_cgroup: "/f",
    external: ["net[7]:extRootNetNS"],
    ext_mnt: [{ key: "/m", val: "/m" }],
  };
  assertEquals(dumpOptions({}, saved, folders), dump);
  const all = {
    tcpEstablished: true,
    extUnixSk: true,
    shellJob: true,
    fileLocks: true,
    lazyPages: true,
    autoDedup: true,
    leaveRunning: true,
    tcpSkipInFlight: true,
    linkRemap: true,
  };
  assertEquals(
    dumpOptions(
      {
        ...all,
        parentPath: "../p",
        pageServer: { address: "::1", port: 9 },
        manageCgroupsMode: "strict",
        networkLock: "skip",
      },
      saved,
      folders,
    ),
    {
      ...dump,
      tcp_established: true,
      ext_unix_sk: true,
      shell_job: true,
      file_locks: true,
      lazy_pages: true,
      auto_dedup: true,
      leave_running: true,
      tcp_skip_in_flight: true,
      link_remap: true,
      parent_img: "../p",
      track_mem: true,
      ps: { address: "::1", port: 9 },
      manage_cgroups_mode: 5,
      network_lock: 3,
    },
  );
  assertEquals(dumpOptions({ preDump: true }, saved, folders), { ...dump, track_mem: true });
});

Deno.test("what CRIU is told to restore", () => {
  const container = {
    config,
    root: "/root",
    cgroups: [{ ctrl: "pids", path: "/c" }],
    descriptors: [{ key: "pipe:[1]", fd: 1 }],
    namespaces: [{ ns: "ipc", ns_file: "/n" }],
    mounts: [],
  };
  const restore = {
    ...common,
    log_file: "restore.log",
    root: "/root",
    evasive_devices: true,
    rst_sibling: true,
    cg_root: [{ ctrl: "pids", path: "/c" }],
    inherit_fd: [{ key: "pipe:[1]", fd: 1 }],
    join_ns: [{ ns: "ipc", ns_file: "/n" }],
    ext_mnt: [],
  };
  assertEquals(restoreOptions({}, container, folders), restore);
  assertEquals(
    restoreOptions({ tcpClose: true, lsmProfile: "selinux:a", lsmMountContext: "b" }, container, folders),
    { ...restore, tcp_close: true, lsm_profile: "selinux:a", lsm_mount_context: "b" },
  );
});

Deno.test("CRIU's own configuration is the one that an annotation names, or none", () => {
  const fileOf = (annotations: Record<string, string>) =>
    dumpOptions({}, { ...saved, config: { ...config, annotations } }, folders).config_file;
  assertEquals(fileOf({}), "/etc/criu/runc.conf");
  assertEquals(fileOf({ "org.criu.config": "/x" }), "/x");
  assertEquals(fileOf({ "org.criu.config": "" }), undefined);
});

Deno.test("of CRIU's log an error has what went wrong, once and in one line", () => {
  const log = `(00.00) Version: 4.1.1 (gitid 0)
(00.048249) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
(00.095943) Error (criu/files-reg.c:1790): Can't lookup mount=27 for fd=1 path=/x
(00.095944) Warn  (criu/files-reg.c:1791): something else
(00.095950) Error (criu/files-reg.c:1790): Can't lookup mount=27 for fd=1 path=/x
(00.095957)      1: Error (criu/cr-dump.c:1681): Dump files (pid: 1617) failed with -1
(00.172289) Error (criu/cr-dump.c:2111): Dumping FAILED.
`;
  assertEquals(
    errorsIn(log),
    "Can't lookup mount=27 for fd=1 path=/x; Dump files (pid: 1617) failed with -1",
  );
  assertEquals(errorsIn("(00.00) Version\n"), undefined);
});
