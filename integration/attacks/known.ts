/**
 * Known escapes from containers, by their CVEs: each tells what it has reached.
 *
 * @module
 */
import { consoleRace, createsOnHost, maskRace, mountsElsewhere, writesRace } from "./known_races.ts";
import { descriptors, inheritable, rootlessCgroup, rootlessCgroup2, userOption } from "./known_processes.ts";
import { console, devLink, fakeProc, linkedProc, maskedPath, redirectedWrites } from "./known_images.ts";
import { overwriting, tracing, tracingInUserNamespace } from "./known_spies.ts";
import type { Known } from "./target.ts";

export const known: Readonly<Record<string, Known>> = {
  "CVE-2019-16884, CVE-2025-62596: a volume over /proc, where labels are written": {
    attack: fakeProc,
    weakness: "proc",
  },
  "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867: /proc is a link to a volume": {
    attack: linkedProc,
    weakness: "proc",
  },
  "CVE-2025-52881: what is written to /proc/sys is led elsewhere": {
    attack: redirectedWrites,
    weakness: "proc",
  },
  "CVE-2025-31133, CVE-2025-62161: the /dev/null that masks files is a link": {
    attack: maskedPath,
    weakness: "null",
  },
  "CVE-2025-52565: /dev/console is a link": { attack: console, weakness: "console" },
  "CVE-2026-41579, CVE-2026-47766: /dev is a link to the host": { attack: devLink, weakness: "paths" },
  "CVE-2021-30465: a mount point that turns into a link": {
    attack: mountsElsewhere,
    weakness: "paths",
  },
  "CVE-2024-45310: a directory that turns into a link while another is made in it": {
    attack: createsOnHost,
    weakness: "paths",
  },
  "CVE-2025-52565: /dev/console that turns into a link": { attack: consoleRace, weakness: "console" },
  "CVE-2025-31133: the /dev/null that masks files turns into a link": { attack: maskRace, weakness: "null" },
  "CVE-2025-52881: a file of /proc/sys that turns into a link": { attack: writesRace, weakness: "proc" },
  "CVE-2024-21626, CVE-2016-9962: a working directory in a descriptor of the host": {
    attack: descriptors,
    weakness: "descriptors",
  },
  "CVE-2019-5736: the executable that enters the container is overwritten": {
    attack: overwriting,
    weakness: "sealed",
  },
  "a process that joins is traced, its memory, descriptors and directories opened": {
    attack: tracing,
    weakness: "dumpable",
  },
  "the same in a user namespace, with all capabilities": {
    attack: tracingInUserNamespace,
    weakness: "dumpable",
  },
  "CVE-2022-29162, CVE-2022-24769, CVE-2022-27650, CVE-2025-27612: inheritable capabilities": {
    attack: inheritable,
    weakness: "inheritable",
  },
  "CVE-2026-30892: exec -u 1 becomes root": { attack: userOption, weakness: "user" },
  "CVE-2023-25809: cgroups of the host in a rootless container": {
    attack: rootlessCgroup,
    weakness: "writable",
  },
  "CVE-2023-25809: the same where there is cgroup v2 alone": {
    attack: rootlessCgroup2,
    weakness: "writable",
  },
};
