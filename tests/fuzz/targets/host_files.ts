/** Texts of the kernel's, of systemd's and of an image's: /proc, cgroups, /etc/passwd, messages on the bus. @module */
import { assert, assertEquals } from "@std/assert";
import { findHierarchies, openCgroup } from "../../../cgroups/mod.ts";
import { annotatedProperties } from "../../../cgroups/systemd/annotations.ts";
import { decodeMessage, encodeMessage, messageLength } from "../../../cgroups/systemd/message.ts";
import { expandSlice, parseUnitName } from "../../../cgroups/systemd/unit.ts";
import { findHome } from "../../../runtime/container/late_facts.ts";
import { gatherHost } from "../../../runtime/host/gather.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../../runtime/linux/generated/constants.ts";
import { close, openat2 } from "../../../runtime/linux/files.ts";
import { readStat } from "../../../runtime/linux/processes.ts";
import { planCreate } from "../../../runtime/plan/plan.ts";
import { checkPlan } from "../../../runtime/plan/rules.ts";
import { parseConfig } from "../../../runtime/spec/parse.ts";
import { ALL_V1, ALL_V2, FakeMachine } from "../../cgroups/fake.ts";
import { mutateLines } from "../mutate_text.ts";
import type { Random } from "../random.ts";
import { reading, type Target, withoutWords } from "../target.ts";

type Files = Readonly<Record<string, string>>;

/** One file after the other, in one text: `== PATH` before each. */
function join(files: Files): string {
  return Object.entries(files).map(([path, text]) => `== ${path}\n${text}`).join("\n");
}

function split(text: string): Files {
  return Object.fromEntries(
    text.split(/^== /m).slice(1).map((part) => {
      const end = part.indexOf("\n");
      return end < 0 ? [part, ""] : [part.slice(0, end), part.slice(end + 1)];
    }),
  );
}

/** Files that are there keep their paths, whatever becomes of the text around them. */
function mutateFiles(input: string, corpus: readonly string[], random: Random): string {
  const files = split(input);
  const path = random.pick(Object.keys(files));
  const others = corpus.flatMap((other) => split(other)[path] ?? []);
  return join({ ...files, [path]: mutateLines(files[path]!, [files[path]!, ...others], random) });
}

const CONFIG = parseConfig(JSON.stringify({
  ociVersion: "1.3.0",
  root: { path: "/" },
  process: {
    args: ["true"],
    cwd: "/",
    rlimits: [
      { type: "RLIMIT_NOFILE", soft: 10, hard: 20 },
      { type: "RLIMIT_NPROC", soft: 10, hard: 20 },
    ],
  },
  mounts: [{ destination: "/sys/fs/cgroup", type: "cgroup" }],
  linux: { rootfsPropagation: "rprivate", namespaces: [{ type: "mount" }, { type: "cgroup" }] },
}));

const PROC_FILES = [
  "/proc/self/status",
  "/proc/self/limits",
  "/proc/self/uid_map",
  "/proc/self/mountinfo",
  "/proc/self/cgroup",
  "/proc/sys/kernel/cap_last_cap",
];

/** What a plan is made with: the facts that are read of the kernel. */
const proc: Target = {
  seeds: [join(Object.fromEntries([
    ...PROC_FILES.map((path) => [path, Deno.readTextFileSync(path)]),
    ["/proc/7/stat", Deno.readTextFileSync("/proc/self/stat")],
  ]))],
  mutate: mutateFiles,
  run: (input) =>
    reading(split(input), () => {
      const stat = readStat(7);
      const hierarchies = findHierarchies(
        Deno.readTextFileSync("/proc/self/mountinfo"),
        Deno.readTextFileSync("/proc/self/cgroup"),
      );
      for (const noPivot of [false, true]) {
        const cgroup = { hierarchies, tasks: [], unified: false, adopts: false };
        const host = gatherHost(CONFIG, { id: "c", bundle: "/", noPivot, cgroup });
        assertEquals(checkPlan(planCreate(CONFIG, host)), []);
      }
      return [`${stat?.state.length === 1}`, `${Math.min(hierarchies.length, 3)} hierarchies`];
    }),
};

/** By machine: the paths of a cgroup, and what its files hold. */
const machines = {
  v1: new FakeMachine("v1", { v1: ALL_V1 }),
  v2: new FakeMachine("v2", { v2: ALL_V2 }),
};
globalThis.addEventListener("unload", () => Object.values(machines).forEach((machine) => machine.remove()));

const cgroups = Object.entries(machines).map(([name, machine]) => {
  const { paths } = machine.locate("/fuzz");
  const files: Record<string, string> = {};
  for (const path of new Set(Object.values(paths))) {
    for (const { name: file } of Deno.readDirSync(path)) {
      files[`${path.slice(machine.root.length)}/${file}`] = Deno.readTextFileSync(`${path}/${file}`);
    }
  }
  return { name, root: machine.root, paths, text: join({ [name]: "", ...files }) };
});

const stats: Target = {
  seeds: cgroups.map(({ text }) => text),
  mutate: mutateFiles,
  run(input) {
    const files = split(input);
    const { root, paths } = cgroups.find(({ name }) => Object.hasOwn(files, name)) ?? cgroups[0]!;
    const at = Object.fromEntries(Object.entries(files).map(([path, text]) => [root + path, text]));
    return reading(at, () => {
      const cgroup = openCgroup(paths);
      const stats = cgroup.stats();
      JSON.stringify(stats, (_, value) => typeof value === "bigint" ? `${value}` : value);
      return Object.keys(stats);
    });
  },
};

const directory = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "hako-fuzz-" });
Deno.mkdirSync(`${directory}/etc`);
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

const passwd: Target = {
  seeds: ["root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\nnobody:x:65534:65534:::\n"],
  mutate: mutateLines,
  run(input) {
    Deno.writeTextFileSync(`${directory}/etc/passwd`, input);
    const root = openat2(AT_FDCWD, directory, { flags: O_PATH | O_DIRECTORY | O_CLOEXEC });
    try {
      return [0, 1000, 65534, 7].map((uid) => {
        const home = findHome(root, { user: { uid, gid: 0 }, args: ["true"], cwd: "/" });
        assert(home !== "" && !home.includes("\n"), home);
        return home === "/" ? "none" : "found";
      });
    } finally {
      close(root);
    }
  },
};

/** `ANNOTATION=VALUE` lines, and the cgroupsPath first. */
const units: Target = {
  seeds: [
    "system.slice:hako:web\nTimeoutStopSec=uint64 5\nDescription='a \\'b\\''\nAfter=@as ['a.service', \"b.service\"]\n" +
    "IOReadBandwidthMax=[('/dev/sda', uint64 7)]\nMask=[byte 1, 2]\nOn=true\nRatio=double 0.5\nAny=<'x'>",
    "a-b-c.slice::x\nCPUWeight=uint64 100\nBad=(1,",
    "\nA=@a(su) [('x', 1)]",
    "\nA=[((), 1)]\nB=<()>\nC=@a() []\nD=(@sog 'x',)",
  ],
  mutate: mutateLines,
  run(input) {
    const [cgroupsPath = "", ...lines] = input.split("\n");
    const annotations = Object.fromEntries(lines.map((line) => {
      const at = line.indexOf("=");
      return [`org.systemd.property.${line.slice(0, at)}`, line.slice(at + 1)];
    }));
    const body = annotatedProperties(annotations);
    const sent = encodeMessage({ type: 1, serial: 1, signature: "a(sv)", body: [body] });
    assertEquals(messageLength(sent), sent.length);
    const { slice } = parseUnitName(cgroupsPath, { id: "c", user: false });
    assert(!expandSlice(slice).split("/").includes(".."));
    return body.map(([, { signature }]) => signature.slice(0, 2));
  },
};

const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Of systemd's; a character is a byte. */
const messages: Target = {
  seeds: [
    encodeMessage({ type: 2, serial: 2, replySerial: 1, signature: "s", body: ["/job/1"] }),
    encodeMessage({
      type: 4,
      serial: 3,
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.systemd1.Manager",
      member: "JobRemoved",
      signature: "uoss",
      body: [7, "/job/1", "a.scope", "done"],
    }),
    encodeMessage({
      type: 2,
      serial: 9,
      signature: "a(sv)v",
      body: [[["A", { signature: "t", value: 1n }]], { signature: "as", value: ["x", "y"] }],
    }),
  ].map(latin1),
  mutate: mutateLines,
  run(input) {
    const message = bytes(input);
    try {
      if (messageLength(message) > message.length) return ["longer"];
      return [`${decodeMessage(message).body?.length} values`];
    } catch (error) {
      // What the connection makes an error of.
      if (!(error instanceof RangeError)) throw error;
      return [withoutWords(error.message, input)];
    }
  },
};

export const hostFiles: Readonly<Record<string, Target>> = { proc, stats, passwd, units, messages };
