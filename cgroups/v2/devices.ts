/** Puts a program for devices on a cgroup. @see bpf(2) @module */
import { isErrno, syscall, type Word, word } from "../../runtime/linux/libc.ts";
import {
  AT_FDCWD,
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_F_REPLACE,
  BPF_PROG_ATTACH,
  BPF_PROG_DETACH,
  BPF_PROG_GET_FD_BY_ID,
  BPF_PROG_LOAD,
  BPF_PROG_QUERY,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  O_CLOEXEC,
  O_DIRECTORY,
} from "../../runtime/linux/generated/constants.ts";
import { close, openat2 } from "../../runtime/linux/files.ts";
import type { Controller } from "../controller.ts";
import { allowsAll } from "../devices.ts";
import { type Directory, pointerTo } from "../directory.ts";
import { type DeviceProgram, deviceProgram } from "./device_program.ts";

/** sizeof(union bpf_attr), as much of it as these commands know. */
const ATTRIBUTE_BYTES = 72;
/** The kernel allows 64 programs on one cgroup: BPF_CGROUP_MAX_PROGS. */
const MAX_PROGRAMS = 64;

/** The controller, with what makes its programs. */
export function devicesController(compile: DeviceProgram): Controller {
  return {
    name: "devices",
    asks: ({ devices }) => devices && "/devices",
    set(directory, { devices }) {
      if (devices === undefined) return;
      if (allowsAll(devices)) detachAll(directory);
      else attach(directory, compile(devices));
    },
    warnings: () => [],
    stats() {},
  };
}

export const devices: Controller = devicesController(deviceProgram);

/** The program takes the place of those that are there, at once: there is no moment without one. */
function attach(directory: Directory, program: Uint8Array<ArrayBuffer>): void {
  withPrograms(directory, (cgroup, old, opened) => {
    const loaded = opened(load(program));
    // Of several none can be replaced. All programs of a cgroup have to agree, so they may stand beside ours for a moment.
    const [replaced] = old.length === 1 ? old : [];
    const flags = replaced === undefined ? BPF_F_ALLOW_MULTI : BPF_F_ALLOW_MULTI | BPF_F_REPLACE;
    bpf(BPF_PROG_ATTACH, [...target(cgroup, loaded), [12, 4, flags], [16, 4, replaced ?? 0]]);
    if (replaced === undefined) detach(cgroup, old);
  });
}

/** Without a program all is allowed. */
function detachAll(directory: Directory): void {
  try {
    withPrograms(directory, detach);
  } catch (error) {
    // Who has no right to bpf(2) has put no program there, and does not need one for this.
    if (!isErrno(error, "EPERM", "EACCES")) throw error;
  }
}

function detach(cgroup: number, programs: readonly number[]): void {
  for (const program of programs) bpf(BPF_PROG_DETACH, target(cgroup, program));
}

/** Calls `fn` with descriptors of the cgroup and of its programs, and closes them and those that it has `opened`. */
function withPrograms(
  { path }: Directory,
  fn: (cgroup: number, programs: number[], opened: (fd: number) => number) => void,
): void {
  const open: number[] = [];
  const opened = (fd: number) => {
    open.push(fd);
    return fd;
  };
  try {
    const cgroup = opened(openat2(AT_FDCWD, path, { flags: O_DIRECTORY | O_CLOEXEC }));
    fn(cgroup, query(cgroup).map((id) => opened(bpf(BPF_PROG_GET_FD_BY_ID, [[0, 4, id]]))), opened);
  } finally {
    open.forEach(close);
  }
}

/** Offset, size and value of a member of union bpf_attr. */
type Member = readonly [offset: number, size: 4 | 8, value: Word];

/** `target_fd`, `attach_bpf_fd` and `attach_type`. */
function target(cgroup: number, program: number): Member[] {
  return [[0, 4, cgroup], [4, 4, program], [8, 4, BPF_CGROUP_DEVICE]];
}

/** @returns a descriptor */
function load(program: Uint8Array<ArrayBuffer>): number {
  // The licence is asked for by all program types; no helper that we call needs a particular one: we call none.
  const licence = new TextEncoder().encode("Apache-2.0\0");
  return bpf(BPF_PROG_LOAD, [
    [0, 4, BPF_PROG_TYPE_CGROUP_DEVICE],
    [4, 4, program.length / 8],
    [8, 8, program],
    [16, 8, licence],
  ]);
}

/** The ids of the programs of this very cgroup. */
function query(cgroup: number): number[] {
  const ids = new Uint32Array(MAX_PROGRAMS);
  const attribute = attributes([
    [0, 4, cgroup],
    [4, 4, BPF_CGROUP_DEVICE],
    [16, 8, new Uint8Array(ids.buffer)],
    [24, 4, MAX_PROGRAMS],
  ]);
  call(BPF_PROG_QUERY, attribute);
  return [...ids.subarray(0, new DataView(attribute.buffer).getUint32(24, true))];
}

function bpf(command: number, members: readonly Member[]): number {
  return call(command, attributes(members));
}

function call(command: number, attribute: Uint8Array<ArrayBuffer>): number {
  return syscall("bpf", [command, attribute, attribute.length], { pointer: pointerTo("/devices") });
}

/** What a `union bpf_attr` points to must not be collected before the call. */
let held: readonly Member[] = [];

function attributes(members: readonly Member[]): Uint8Array<ArrayBuffer> {
  held = members;
  const bytes = new Uint8Array(ATTRIBUTE_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [offset, size, value] of held) {
    if (size === 8) view.setBigUint64(offset, word(value), true);
    else view.setUint32(offset, Number(word(value)), true);
  }
  return bytes;
}
