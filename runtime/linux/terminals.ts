/** Terminals. @module */
import { TCGETS, TCSETS, TIOCGWINSZ, TIOCSWINSZ } from "./generated/constants.ts";
import { ioctl } from "./files.ts";
import { isErrno } from "./libc.ts";

/** sizeof(struct termios) of the kernel, with room for later ones. */
const TERMIOS_BYTES = 64;

/** Offsets and bits of struct termios (asm-generic/termbits.h), the same on both CPUs. */
const IFLAG = 0;
const OFLAG = 4;
const CFLAG = 8;
const LFLAG = 12;
const VTIME = 17 + 5;
const VMIN = 17 + 6;
/** IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON */
const RAW_IFLAG_OFF = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
/** OPOST */
const RAW_OFLAG_OFF = 0o1;
/** CSIZE, PARENB */
const RAW_CFLAG_OFF = 0o60 | 0o400;
/** CS8 */
const RAW_CFLAG_ON = 0o60;
/** ISIG, ICANON, ECHO, ECHONL, IEXTEN */
const RAW_LFLAG_OFF = 0o1 | 0o2 | 0o10 | 0o100 | 0o100000;

/** Whether the descriptor is a terminal: isatty(3). */
export function isTerminal(fd: number): boolean {
  try {
    ioctl(fd, TCGETS, new Uint8Array(TERMIOS_BYTES));
    return true;
  } catch (error) {
    if (isErrno(error, "ENOTTY", "EBADF", "EINVAL", "EIO")) return false;
    throw error;
  }
}

/**
 * Has the terminal pass every byte as it is: cfmakeraw(3).
 *
 * @returns what sets it back
 */
export function makeRaw(fd: number): () => void {
  const before = new Uint8Array(TERMIOS_BYTES);
  ioctl(fd, TCGETS, before);
  const raw = before.slice();
  const view = new DataView(raw.buffer);
  const change = (offset: number, off: number, on = 0) =>
    view.setUint32(offset, (view.getUint32(offset, true) & ~off | on) >>> 0, true);
  change(IFLAG, RAW_IFLAG_OFF);
  change(OFLAG, RAW_OFLAG_OFF);
  change(CFLAG, RAW_CFLAG_OFF, RAW_CFLAG_ON);
  change(LFLAG, RAW_LFLAG_OFF);
  raw[VMIN] = 1;
  raw[VTIME] = 0;
  ioctl(fd, TCSETS, raw);
  return () => unlessHungUp(() => ioctl(fd, TCSETS, before));
}

/** Gives `to` the size of `from`. */
export function copyWindowSize(from: number, to: number): void {
  const size = new Uint8Array(8);
  unlessHungUp(() => {
    ioctl(from, TIOCGWINSZ, size);
    ioctl(to, TIOCSWINSZ, size);
  });
}

/** Does what a terminal refuses that has hung up, as one does whose window was closed. */
function unlessHungUp(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isErrno(error, "EIO")) throw error;
  }
}
