/** The ordinary user of a guest, who has a systemd. @module */

export const UID = 1000;
export const USER_CGROUP: string = `/user.slice/user-${UID}.slice/user@${UID}.service`;
/** XDG_RUNTIME_DIR. */
export const USER_RUNTIME: string = `/run/user/${UID}`;

/** @returns the controllers that the user may use */
export function startUserManager(): string {
  new Deno.Command("systemctl", { args: ["start", `user@${UID}`] }).outputSync();
  return Deno.readTextFileSync(`/sys/fs/cgroup${USER_CGROUP}/cgroup.controllers`);
}
