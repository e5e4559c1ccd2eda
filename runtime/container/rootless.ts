/**
 * Whether we have root's rights over the machine, which root of a user namespace does not have either.
 *
 * @module
 */
import { inUserNamespace } from "../host/user_namespace.ts";

let told: boolean | undefined;

/** `--rootless`: "auto" is what {@linkcode isRootless} finds out by itself. */
export function setRootless(value: "true" | "false" | "auto"): void {
  told = value === "auto" ? undefined : value === "true";
}

/** Then cgroups are those of a user, as far as the user was given any. */
export function isRootless(): boolean {
  if (told !== undefined) return told;
  return Deno.uid() !== 0 || inUserNamespace();
}

/**
 * Where a user keeps what lasts until logout; nothing for root. An engine that has made itself root of a user namespace
 * is still the user: it is told by USER, from a shell that was opened in the namespace for root's work (as runc does).
 */
export function userDirectory(): string | undefined {
  const directory = Deno.env.get("XDG_RUNTIME_DIR");
  if (!directory || !isRootless()) return undefined;
  return Deno.uid() === 0 && Deno.env.get("USER") === "root" ? undefined : directory;
}
