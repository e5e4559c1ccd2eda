/** /proc/PID/mountinfo, as far as tests compare it. @module */

/** One mount. */
export interface Mount {
  readonly root: string;
  readonly path: string;
  /** Of the mount. */
  readonly options: string;
  /** "shared", "master", "unbindable", or nothing. */
  readonly propagation: string;
  readonly type: string;
  readonly source: string;
  /** Of the filesystem. */
  readonly superOptions: string;
}

/** @see proc_pid_mountinfo(5) */
export function parseMounts(text: string): Mount[] {
  return text.trim().split("\n").map((line) => {
    const [mount = "", filesystem = ""] = line.split(" - ");
    const [, , , root = "", path = "", options = "", ...propagation] = mount.split(" ");
    const [type = "", source = "", superOptions = ""] = filesystem.split(" ");
    return {
      root,
      path,
      options,
      propagation: propagation.map((field) => field.replace(/:\d+$/, "")).sort().join(),
      type,
      source,
      superOptions,
    };
  });
}
