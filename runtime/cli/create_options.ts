/** The options that `create` and `run` share, named as runc's and crun's. @module */

import type { Options } from "./options.ts";

export const bundleOption = {
  type: "text",
  short: "b",
  value: "DIR",
  complete: "directory",
  help: "directory of the bundle (the working directory)",
} as const;

export const createOptions = {
  bundle: bundleOption,
  config: {
    type: "text",
    short: "f",
    value: "FILE",
    complete: "file",
    help: "read FILE instead of the bundle's config.json",
  },
  "console-socket": {
    type: "text",
    value: "SOCKET",
    complete: "file",
    help: "send the terminal's master to the unix socket SOCKET",
  },
  "pidfd-socket": {
    type: "text",
    value: "SOCKET",
    complete: "file",
    help: "send a pidfd of the container's process to the unix socket SOCKET",
  },
  "pid-file": {
    type: "text",
    value: "FILE",
    complete: "file",
    help: "write the pid of the container's process to FILE",
  },
  "no-pivot": { type: "flag", help: "move the root instead of pivot_root(2), for a rootfs on a ramdisk" },
  "no-new-keyring": { type: "flag", help: "leave the container in the caller's session keyring" },
  "preserve-fds": { type: "count", value: "N", help: "pass file descriptors 3 to 3+N-1 to the container" },
} as const satisfies Options;
