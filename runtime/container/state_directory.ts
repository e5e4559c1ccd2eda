/**
 * One directory per container: its existence is what makes the id taken.
 *
 * ```
 *   ROOT/           0711
 *   ROOT/ID/        0700
 *   ROOT/ID/status  the page that the init shares with us: runtime/init/record.ts
 * ```
 *
 * @module
 */
import { StateError, UsageError } from "../errors.ts";

/** Where containers are kept: `--root`, else by whether we are root. */
export function stateRoot(root: string | undefined): string {
  if (root !== undefined) {
    if (root === "/" || root === "") {
      throw new UsageError(`--root must be a directory of its own, not "${root}"`);
    }
    return root.startsWith("/") ? root : `${Deno.cwd()}/${root}`;
  }
  const user = Deno.uid() === 0 ? undefined : Deno.env.get("XDG_RUNTIME_DIR");
  return user ? `${user}/hako` : "/run/hako";
}

/** A directory that no other container has. */
export interface StateDirectory {
  readonly path: string;
  /** Removes it and all that is in it. */
  remove(): void;
}

/**
 * Takes the id.
 *
 * @throws {UsageError} if it is no valid id
 * @throws {StateError} if it is taken
 */
export function createStateDirectory(root: string, id: string): StateDirectory {
  checkId(id);
  Deno.mkdirSync(root, { recursive: true, mode: 0o711 });
  const path = `${root}/${id}`;
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new StateError(id, `container with given ID already exists: ${id}`);
  }
  return { path, remove: () => Deno.removeSync(path, { recursive: true }) };
}

/** As runc has it: what is a file name and needs no quoting. */
function checkId(id: string): void {
  if (/^[\w+.-]{1,1024}$/.test(id) && id !== "." && id !== "..") return;
  throw new UsageError(
    `invalid container ID format: ${JSON.stringify(id)}, allowed are letters, digits, "_+-."`,
  );
}
