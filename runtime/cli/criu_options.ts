/** The options that `checkpoint` and `restore` share, named as runc's and crun's. @module */

import { absolute } from "../container/criu/folders.ts";
import type { CriuOptions } from "../container/criu/options.ts";
import { UsageError } from "../errors.ts";
import type { Options, Values } from "./options.ts";

export const criuOptions = {
  "image-path": {
    type: "text",
    value: "DIR",
    complete: "directory",
    help: "directory of the images (./checkpoint)",
  },
  "work-path": {
    type: "text",
    value: "DIR",
    complete: "directory",
    help: "directory of CRIU's log and statistics (that of the images)",
  },
  "tcp-established": { type: "flag", help: "allow TCP connections that are open" },
  "ext-unix-sk": { type: "flag", help: "allow Unix sockets that are connected to the outside" },
  "shell-job": { type: "flag", help: "allow a session and a terminal that are the caller's" },
  "file-locks": { type: "flag", help: "allow locks on files" },
  "lazy-pages": { type: "flag", help: "have memory transferred by userfaultfd(2) when it is used" },
  "auto-dedup": { type: "flag", help: "remove from parent images what later ones have" },
  "manage-cgroups-mode": {
    type: "choice",
    value: "MODE",
    choices: ["soft", "full", "strict", "ignore"],
    help: "how CRIU treats cgroups (soft)",
  },
  "network-lock": {
    type: "choice",
    value: "METHOD",
    choices: ["iptables", "nftables", "skip"],
    help: "how TCP connections are held meanwhile (iptables)",
  },
  "empty-ns": { type: "list", value: "TYPE", help: 'accepted for "network", which is always left empty' },
} as const satisfies Options;

/** What the table above says, for CRIU. */
export function readCriuOptions(options: Values<typeof criuOptions>): CriuOptions {
  const other = options["empty-ns"].find((type) => type !== "network");
  if (other !== undefined) throw new UsageError(`namespace ${JSON.stringify(other)} is not supported`);
  return {
    tcpEstablished: options["tcp-established"],
    extUnixSk: options["ext-unix-sk"],
    shellJob: options["shell-job"],
    fileLocks: options["file-locks"],
    lazyPages: options["lazy-pages"],
    autoDedup: options["auto-dedup"],
    manageCgroupsMode: options["manage-cgroups-mode"],
    networkLock: options["network-lock"],
  };
}

/** The directories that the options name. */
export function readPaths(options: Values<typeof criuOptions>) {
  const { "image-path": images = "checkpoint", "work-path": work } = options;
  return { images: absolute(images), ...(work !== undefined && { work: absolute(work) }) };
}
