/**
 * Where images and logs are, and what CRIU's log says.
 *
 * @module
 */
import { StateError, UsageError } from "../../errors.ts";
import { inUserNamespace } from "../../host/user_namespace.ts";
import { openat2 } from "../../linux/files.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "../../linux/generated/constants.ts";
import { type Criu, errorsIn } from "./client.ts";
import type { Folders } from "./options.ts";

/** Absolute paths. */
export interface FolderPaths {
  readonly images: string;
  /** Where CRIU puts its log and what else it writes beside images: those of the images if absent. */
  readonly work?: string | undefined;
}

/**
 * Opens the folders, which are made if they are missing.
 *
 * @param opened gets the descriptors, to be closed by the caller
 * @param root where they begin: CRIU mounts in the folder of its log, which takes one of its own mount namespace
 */
export function openFolders({ images, work }: FolderPaths, opened: number[], root = ""): Folders {
  const open = (path: string) => {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    const fd = openat2(AT_FDCWD, root + path, { flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC });
    opened.push(fd);
    return fd;
  };
  const folder = open(images);
  return { images: folder, work: work === undefined ? folder : open(work) };
}

/** CRIU without root's rights over the machine saves little of what a container is. */
export function requireRoot(id: string): void {
  if (Deno.uid() === 0 && !inUserNamespace()) return;
  throw new StateError(id, "checkpoint and restore need root: CRIU cannot save or make namespaces without");
}

/** Does what CRIU logs in `log`. @throws {StateError} with the errors of the log, if it is CRIU that has failed */
export function withCriuLog(
  criu: Criu,
  { id, operation, log }: { readonly id: string; readonly operation: string; readonly log: string },
  action: () => void,
): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof StateError) || error === criu.failure) throw error;
    let errors: string | undefined;
    try {
      errors = errorsIn(Deno.readTextFileSync(log));
    } catch {
      throw error; // It has not come as far as that.
    }
    throw new StateError(id, `criu cannot ${operation}: ${errors ?? error.message}, see ${log}`);
  }
}

/** `path` from the root, whatever the working directory will be. */
export function absolute(path: string): string {
  if (path === "") throw new UsageError("the path must not be empty");
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}
