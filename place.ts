/**
 * Who can write to the program, or to a directory above it, has the rights of whoever runs it. These are commands of sh that
 * keep root from running what others can replace:
 *
 * - when it is installed, all owners and modes are looked at. Later only root can change them;
 * - at each start, only the owners: root may run what a user has built.
 *
 * Where `/` is not root's, root is that of a user namespace, and sees the host's root as nobody.
 *
 * @module
 */

const IF_ROOT = "[ -O / ] &&";

/** All of `paths`, absolute ones, and the directories above them. */
export function withParents(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) =>
    path.split("/").map((_, index, names) => names.slice(0, index + 1).join("/") || "/")
  );
  return [...new Set(all)];
}

/** Of the caller's shell's variables, those that these commands set. */
export const VARIABLES = ["hako_path"];

const REFUSE_PATH = `[ -O "$hako_path" ] || [ ! -e "$hako_path" ] || { ` +
  `echo "hako: $hako_path is not root's: whose it is could replace the program (docs/security.md)" >&2; exit 1; }`;

/**
 * Ends with one line if we are root and one of `paths` is another owner's. It costs a stat(2) for each, and no process.
 *
 * @param paths quoted for sh
 */
export function refuseForeign(paths: readonly string[]): string {
  return `${IF_ROOT} for hako_path in ${paths.join(" ")}; do ${REFUSE_PATH}; done`;
}

/** The same for `paths` whose parents are not known before. */
export function refuseForeignAbove(paths: readonly string[]): string {
  const next = "hako_path=${hako_path%/*}";
  return `${IF_ROOT} for hako_path in ${paths.join(" ")}; do ` +
    `while [ "$hako_path" ]; do ${REFUSE_PATH}; ${next}; done; done`;
}

/**
 * Ends with some lines if we are root, and anybody else can write to the directory, to anything in it, or above it. In a
 * directory with the sticky bit, as /tmp, others cannot replace what is root's. Root's own group may write, too.
 *
 * @param parents quoted for sh, as `directory`
 */
export function refuseWritable(directory: string, parents: readonly string[]): string {
  const writable = `\\( -perm -0002 -o -perm -0020 ! -group 0 \\) ! -type l ! \\( -type d -perm -1000 \\)`;
  const replaceable = `\\( ! -user 0 -o ${writable} \\)`;
  return [
    `if ${IF_ROOT} paths=$(`,
    `  find ${parents.join(" ")} -prune ${replaceable}`,
    `  find ${directory} ${replaceable}`,
    `) && [ "$paths" ]; then`,
    `  echo "hako: others than root could replace the program, as they own these or may write to them:" >&2`,
    `  echo "$paths" >&2`,
    `  exit 1`,
    `fi`,
  ].join("\n");
}
