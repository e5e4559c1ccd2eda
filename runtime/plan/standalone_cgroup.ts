/**
 * The cgroups of a container that has no runtime: made and set by its first process, removed by the one that waits.
 *
 * A cgroup is named for the pid of the process that waits, so that one executable can run several times at once.
 *
 * @see cgroups(7), cgroups/files.ts for what is written
 * @module
 */
import type { Pointer } from "../errors.ts";
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_PROG_ATTACH,
  BPF_PROG_LOAD,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
} from "../linux/generated/constants.ts";
import { byteLength } from "./idioms.ts";
import { attempt, type Node, type Reason, slot, type SlotName, step, tolerate } from "./node.ts";

/** Stands for the pid, in hexadecimal: the supervisor writes it there. */
export const PID = "pppppppp";

/** The name of the cgroup. */
export function cgroupName(name: string): string {
  return `${name}.${PID}`;
}

/** One write(2). */
export interface CgroupWrite {
  readonly file: string;
  readonly value: string;
  readonly pointer: Pointer;
  /** Where the kernel does not have the file: nothing, or another. Without it that is an error. */
  readonly absent?: "ignore" | CgroupWrite;
}

/** The container's directory in one hierarchy. */
export interface CgroupDirectory {
  readonly mountPoint: string;
  /** Names of the directories that it is to be in, from the mount point down. They are made if they are missing, and stay. */
  readonly parents: readonly string[];
  /** Files that have to be as in the cgroup above before a process can be there: those of cpuset in v1. */
  readonly inherited: readonly string[];
  /** In the order in which they are written. */
  readonly writes: readonly CgroupWrite[];
  /** Absent for v1, which a process joins by itself. */
  readonly unified?: {
    /** Controllers that the cgroups above have to hand down. */
    readonly controllers: readonly string[];
    /** An eBPF program that is asked for each device. */
    readonly devices?: Uint8Array;
    /** The descriptor by which the plan makes the container's process in it. */
    readonly fd: number;
    /** What is left in it at the end is to be killed. */
    readonly kill: boolean;
  };
}

const MAKE: Reason = { label: "make the cgroup", pointer: "/linux/cgroupsPath" };
const JOIN: Reason = { label: "join the cgroup", pointer: "/linux/cgroupsPath" };
const REMOVE: Reason = { label: "remove the cgroup", pointer: "/linux/cgroupsPath" };
const DEVICES: Reason = { label: "limit devices", pointer: "/linux/resources/devices" };

const DIRECTORY = O_PATH | O_DIRECTORY | O_CLOEXEC;

/** The cgroup above, and the container's. In these file systems there are no links. */
const PARENT = slot("$cgroup_parent");
const OWN = slot("$cgroup");

/** Makes all, sets their limits and joins those of v1. */
export function makeCgroups(name: string, cgroups: readonly CgroupDirectory[]): Node[] {
  return cgroups.flatMap((cgroup) => {
    const { mountPoint, parents, inherited, writes, unified } = cgroup;
    const handDown = () =>
      (unified?.controllers ?? []).flatMap((controller) =>
        // EBUSY: there are processes. ENOENT: no such controller. If one is missing, its file is, which says so.
        writeTo(MAKE, PARENT.slot, "cgroup.subtree_control", [`+${controller}`], { fine: true })
      );
    const inherit = () => inherited.flatMap(inheritFile);
    return [
      step(MAKE, "openat", [AT_FDCWD, mountPoint, DIRECTORY, 0], PARENT.slot),
      ...handDown(),
      ...parents.flatMap((parent) => [
        tolerate(step(MAKE, "mkdirat", [PARENT, parent, 0o755]), ["EEXIST"]),
        step(MAKE, "openat", [PARENT, parent, DIRECTORY, 0], OWN.slot),
        ...inherit(),
        step(MAKE, "openat", [PARENT, parent, DIRECTORY, 0], PARENT.slot),
        ...handDown(),
      ]),
      step(MAKE, "mkdirat", [PARENT, cgroupName(name), 0o755]),
      step(MAKE, "openat", [PARENT, cgroupName(name), DIRECTORY, 0], OWN.slot),
      ...inherit(),
      ...groupByFile(writes).flatMap(writeAll),
      ...(unified === undefined ? writeTo(JOIN, OWN.slot, "tasks", ["0"]) : [
        ...(unified.devices ? attachProgram(unified.devices) : []),
        step(JOIN, "dup3", [OWN, unified.fd, O_CLOEXEC]),
      ]),
    ];
  });
}

function inheritFile(file: string): Node[] {
  return [
    step(MAKE, "openat", [PARENT, file, O_RDONLY | O_CLOEXEC, 0], "$from"),
    step(MAKE, "openat", [OWN, file, O_WRONLY | O_CLOEXEC, 0], "$file"),
    // Until now a new one is empty, and nothing can be in it.
    step(MAKE, "sendfile", [slot("$file"), slot("$from"), null, 4096]),
    step(MAKE, "close", [slot("$file")]),
    step(MAKE, "close", [slot("$from")]),
  ];
}

/** Neighbours that go to one file, so that it is opened once. */
function groupByFile(writes: readonly CgroupWrite[]): CgroupWrite[][] {
  const groups: CgroupWrite[][] = [];
  for (const write of writes) {
    const last = groups.at(-1);
    if (
      last !== undefined && last[0]!.file === write.file && !write.absent &&
      last[0]!.pointer === write.pointer
    ) {
      last.push(write);
    } else groups.push([write]);
  }
  return groups;
}

function writeAll(writes: readonly CgroupWrite[]): Node[] {
  const [{ file, pointer, absent }] = writes as [CgroupWrite];
  const label = `write ${writes.map(({ value }) => JSON.stringify(value)).join(", ")} to ${file}`;
  const [open, ...rest] = writeTo({ label, pointer }, OWN.slot, file, writes.map(({ value }) => value));
  if (absent === undefined || open!.kind !== "step") return [open!, ...rest];
  return [
    attempt(open!, ["ENOENT"], { then: rest, otherwise: absent === "ignore" ? [] : writeAll([absent]) }),
  ];
}

/** @param fine whether the kernel may refuse */
function writeTo(
  reason: Reason,
  directory: SlotName,
  file: string,
  values: readonly string[],
  { fine = false } = {},
): Node[] {
  const write = (value: string) => step(reason, "write", [slot("$file"), value, byteLength(value)]);
  return [
    step(reason, "openat", [slot(directory), file, O_WRONLY | O_CLOEXEC, 0], "$file"),
    ...values.map((value) =>
      fine ? tolerate(write(value), ["EBUSY", "ENOENT", "EOPNOTSUPP", "EACCES", "EINVAL"]) : write(value)
    ),
    step(reason, "close", [slot("$file")]),
  ];
}

/** Puts the program on the cgroup, whose descriptor a structure must have as a number. @see bpf(2) */
function attachProgram(program: Uint8Array): Node[] {
  // The licence is asked for by all program types; we call no helper that would need a particular one.
  const licence = new TextEncoder().encode("Apache-2.0\0");
  const [cgroup, loaded] = [NUMBERED, NUMBERED + 1];
  return [
    step(DEVICES, "bpf", [BPF_PROG_LOAD, {
      struct: "bpf_attr_load",
      members: {
        prog_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        insn_cnt: program.length / 8,
        insns: program,
        license: licence,
      },
    }, 32], "$program"),
    step(DEVICES, "dup3", [slot("$program"), loaded, O_CLOEXEC]),
    // bpf(2) does not take a descriptor with O_PATH.
    step(DEVICES, "openat", [OWN, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0], "$file"),
    step(DEVICES, "dup3", [slot("$file"), cgroup, O_CLOEXEC]),
    step(DEVICES, "bpf", [BPF_PROG_ATTACH, {
      struct: "bpf_attr_attach",
      members: {
        target_fd: cgroup,
        attach_bpf_fd: loaded,
        attach_type: BPF_CGROUP_DEVICE,
        attach_flags: BPF_F_ALLOW_MULTI,
      },
    }, 16]),
    ...[slot("$file"), slot("$program"), cgroup, loaded].map((fd) => step(DEVICES, "close", [fd])),
  ];
}

/** Far from all that a plan opens. */
const NUMBERED = 100;

/** Pauses in milliseconds: a process that is killed stays a moment. */
const PAUSES = [1, 10, 100, 500] as const;

/** Removes all. What cannot be removed is told of, and is no failure: the process has had its own status. */
export function removeCgroups(name: string, cgroups: readonly CgroupDirectory[]): Node[] {
  // What is killed in that of v2 is in all others as well.
  const ordered = cgroups.toSorted((one, other) =>
    Number(other.unified !== undefined) - Number(one.unified !== undefined)
  );
  return ordered.flatMap(({ mountPoint, parents, unified }) => {
    const above = [mountPoint, ...parents].join("/");
    const left = `${name}: a cgroup is left in ${above}\n`;
    const failed = [step(REMOVE, "write", [2, left, byteLength(left)])];
    const remove = () => step(REMOVE, "unlinkat", [PARENT, cgroupName(name), AT_REMOVEDIR]);
    const pause = (milliseconds: number) =>
      step(REMOVE, "nanosleep", [{
        struct: "timespec",
        members: { tv_sec: 0, tv_nsec: milliseconds * 1_000_000 },
      }, null]);
    const again = PAUSES.reduceRight<Node[]>(
      (otherwise, milliseconds) => [pause(milliseconds), attempt(remove(), ["EBUSY"], { otherwise })],
      failed,
    );
    // ENOENT: it has not come so far.
    return [
      attempt(step(REMOVE, "openat", [AT_FDCWD, above, DIRECTORY, 0], PARENT.slot), ["ENOENT"], {
        then: [
          attempt(step(REMOVE, "openat", [PARENT, cgroupName(name), DIRECTORY, 0], OWN.slot), ["ENOENT"], {
            then: [
              ...(unified?.kill ? writeTo(REMOVE, OWN.slot, "cgroup.kill", ["1"]) : []),
              attempt(remove(), ["EBUSY"], { otherwise: again }),
            ],
          }),
        ],
      }),
    ];
  });
}
