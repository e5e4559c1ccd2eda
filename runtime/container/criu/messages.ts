/**
 * The messages between CRIU and who controls it, as far as we send and understand them. Names and numbers are those of
 * CRIU 4.1's images/rpc.proto.
 *
 * @see https://criu.org/RPC
 * @module
 */
import type { Message, Values } from "./protobuf.ts";

const pageServer = {
  address: { id: 1, type: "text" },
  port: { id: 2, type: "number" },
} as const satisfies Message;

const externalMount = {
  key: { id: 1, type: "text" },
  val: { id: 2, type: "text" },
} as const satisfies Message;

const joinedNamespace = {
  ns: { id: 1, type: "text" },
  ns_file: { id: 2, type: "text" },
} as const satisfies Message;

const inheritedDescriptor = {
  key: { id: 1, type: "text" },
  fd: { id: 2, type: "number" },
} as const satisfies Message;

const cgroupRoot = {
  ctrl: { id: 1, type: "text" },
  path: { id: 2, type: "text" },
} as const satisfies Message;

const options = {
  images_dir_fd: { id: 1, type: "number" },
  pid: { id: 2, type: "number" },
  leave_running: { id: 3, type: "flag" },
  ext_unix_sk: { id: 4, type: "flag" },
  tcp_established: { id: 5, type: "flag" },
  evasive_devices: { id: 6, type: "flag" },
  shell_job: { id: 7, type: "flag" },
  file_locks: { id: 8, type: "flag" },
  log_level: { id: 9, type: "number" },
  log_file: { id: 10, type: "text" },
  ps: { id: 11, type: pageServer },
  notify_scripts: { id: 12, type: "flag" },
  root: { id: 13, type: "text" },
  parent_img: { id: 14, type: "text" },
  track_mem: { id: 15, type: "flag" },
  auto_dedup: { id: 16, type: "flag" },
  work_dir_fd: { id: 17, type: "number" },
  link_remap: { id: 18, type: "flag" },
  ext_mnt: { id: 23, type: externalMount, repeated: true },
  manage_cgroups: { id: 24, type: "flag" },
  cg_root: { id: 25, type: cgroupRoot, repeated: true },
  rst_sibling: { id: 26, type: "flag" },
  inherit_fd: { id: 27, type: inheritedDescriptor, repeated: true },
  manage_cgroups_mode: { id: 34, type: "number" },
  external: { id: 37, type: "text", repeated: true },
  empty_ns: { id: 38, type: "number" },
  join_ns: { id: 39, type: joinedNamespace, repeated: true },
  freeze_cgroup: { id: 44, type: "text" },
  tcp_skip_in_flight: { id: 46, type: "flag" },
  lazy_pages: { id: 48, type: "flag" },
  orphan_pts_master: { id: 50, type: "flag" },
  config_file: { id: 51, type: "text" },
  tcp_close: { id: 52, type: "flag" },
  lsm_profile: { id: 53, type: "text" },
  lsm_mount_context: { id: 63, type: "text" },
  network_lock: { id: 64, type: "number" },
} as const satisfies Message;

const features = {
  mem_track: { id: 1, type: "flag" },
  lazy_pages: { id: 2, type: "flag" },
} as const satisfies Message;

export const REQUEST = {
  type: { id: 1, type: "number" },
  opts: { id: 2, type: options },
  notify_success: { id: 3, type: "flag" },
  keep_open: { id: 4, type: "flag" },
  features: { id: 5, type: features },
} as const satisfies Message;

const notification = {
  script: { id: 1, type: "text" },
  pid: { id: 2, type: "number" },
} as const satisfies Message;

const version = {
  major_number: { id: 1, type: "number" },
  minor_number: { id: 2, type: "number" },
  sublevel: { id: 4, type: "number" },
} as const satisfies Message;

export const RESPONSE = {
  type: { id: 1, type: "number" },
  success: { id: 2, type: "flag" },
  notify: { id: 5, type: notification },
  cr_errno: { id: 7, type: "number" },
  features: { id: 8, type: features },
  cr_errmsg: { id: 9, type: "text" },
  version: { id: 10, type: version },
} as const satisfies Message;

/** enum criu_req_type */
export const REQUEST_TYPE = {
  DUMP: 1,
  RESTORE: 2,
  PRE_DUMP: 4,
  NOTIFY: 6,
  FEATURE_CHECK: 9,
  VERSION: 10,
} as const;

/** enum criu_cg_mode, by `--manage-cgroups-mode` */
export const CGROUP_MODES = { ignore: 0, soft: 3, full: 4, strict: 5 } as const;

/** enum criu_network_lock_method, by `--network-lock` */
export const NETWORK_LOCKS = { iptables: 1, nftables: 2, skip: 3 } as const;

export type Request = Values<typeof REQUEST>;
export type Response = Values<typeof RESPONSE>;
export type Options = Values<typeof options>;
export type Features = Values<typeof features>;
