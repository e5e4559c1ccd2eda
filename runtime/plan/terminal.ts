/**
 * `process.terminal`: a pseudoterminal of the container's own devpts. The runtime takes the master, `$master`, while the
 * init waits at the barrier `ready`, and checks that it is one.
 *
 * @see pty(7), ioctl_tty(2), config.md#process
 * @module
 */
import {
  O_NOCTTY,
  O_NOFOLLOW,
  O_RDWR,
  S_IFREG,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import { openInRoot } from "./in_root.ts";
import { attach, cloneTree } from "./mount_api.ts";
import { type Node, type Reason, slot, step, tolerate } from "./node.ts";

/** Makes the terminal and has it be the standard streams and the controlling terminal of the session. */
export function terminal(process: Process): Node[] {
  if (!process.terminal) return [];
  const reason: Reason = { label: "open a terminal", pointer: "/process/terminal" };
  const { height = 0, width = 0 } = process.consoleSize ?? {};
  const slave = slot("$slave");
  return [
    // Not through /dev/ptmx, and no link on the way: an image could lead us to a terminal of the host (CVE-2025-52565).
    openInRoot(reason, "/dev/pts/ptmx", "$master", {
      flags: O_RDWR | O_NOCTTY | O_NOFOLLOW,
      noSymlinks: true,
    }),
    step(reason, "ioctl", [slot("$master"), TIOCSPTLCK, { struct: "int", members: { value: 0 } }]),
    // The peer by its master and not by its name, which could be another file by now.
    step(reason, "ioctl", [slot("$master"), TIOCGPTPEER, O_RDWR | O_NOCTTY], "$slave"),
    ...(height > 0 && width > 0
      ? [
        step({ label: "set the size of the terminal", pointer: "/process/consoleSize" }, "ioctl", [
          slave,
          TIOCSWINSZ,
          { struct: "winsize", members: { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 } },
        ]),
      ]
      : []),
    ...[0, 1, 2].map((stream) => step(reason, "dup3", [slave, stream, 0])),
    step(reason, "ioctl", [0, TIOCSCTTY, 0]),
  ];
}

/** /dev/console is the same terminal (config-linux.md#default-devices). */
export function console(process: Process): Node[] {
  if (!process.terminal) return [];
  const reason: Reason = { label: "put the terminal at /dev/console", pointer: "/process/terminal" };
  return [
    openInRoot(reason, "/dev", "$dev"),
    tolerate(step(reason, "mknodat", [slot("$dev"), "console", S_IFREG | 0o600, 0]), ["EEXIST"]),
    openInRoot(reason, "/dev/console", "$target", { noSymlinks: true }),
    cloneTree(reason, { from: slot("$slave") }, "$console"),
    attach(reason, "$console", slot("$target")),
  ];
}
