/** Where systemd can be reached. @module */
import { UsageError } from "../../runtime/errors.ts";

/** systemd as pid 1, or the one of a user. */
export type ManagerKind = "system" | "user";

/** A socket that systemd can be reached by. */
export interface Endpoint {
  /** Of a Unix socket. */
  readonly path: string;
  /** It is systemd's own: there is no bus between us, no name to ask for and nobody else. */
  readonly direct: boolean;
}

/** The environment, as far as it has a say. */
export type Environment = Readonly<
  Partial<Record<"DBUS_SYSTEM_BUS_ADDRESS" | "DBUS_SESSION_BUS_ADDRESS" | "XDG_RUNTIME_DIR", string>>
>;

/**
 * The sockets to try, in this order. Root takes systemd's own, as systemctl(1) does: that saves round trips and does not
 * depend on a bus. An address in the environment comes first.
 */
export function endpoints(kind: ManagerKind, environment: Environment, uid: number): Endpoint[] {
  const direct = (path: string) => ({ path, direct: true });
  const bus = (path: string) => ({ path, direct: false });
  if (kind === "system") {
    const address = environment.DBUS_SYSTEM_BUS_ADDRESS;
    return [
      ...address ? parseAddress("DBUS_SYSTEM_BUS_ADDRESS", address).map(bus) : [],
      direct("/run/systemd/private"),
      bus("/run/dbus/system_bus_socket"),
    ];
  }
  const address = environment.DBUS_SESSION_BUS_ADDRESS;
  // `systemctl --user show-environment` would have to know it as well.
  const runtime = environment.XDG_RUNTIME_DIR || `/run/user/${uid}`;
  return [
    ...address ? parseAddress("DBUS_SESSION_BUS_ADDRESS", address).map(bus) : [],
    bus(`${runtime}/bus`),
    direct(`${runtime}/systemd/private`),
  ];
}

/**
 * The paths of "unix:path=/run/x/bus,guid=...;unix:path=...".
 *
 * @throws {UsageError} if there is none
 */
function parseAddress(name: string, text: string): string[] {
  const paths = text.split(";").flatMap((address) => {
    const path = /^unix:(?:.*,)?path=([^,]+)/.exec(address)?.[1];
    return path === undefined ? [] : [decodeURIComponent(path)];
  });
  if (paths.length === 0) {
    throw new UsageError(`${name} must be as "unix:path=/run/user/1000/bus", not "${text}"`);
  }
  return paths;
}
