import type { Config } from "../spec/config.ts";
import { byteLength } from "./idioms.ts";
import { type Node, step } from "./node.ts";

/**
 * hostname and domainname, in the UTS namespace of the container.
 *
 * @see sethostname(2), setdomainname(2), config.md#hostname, config.md#domainname
 */
export function hostname(config: Config): Node[] {
  const calls = { hostname: "sethostname", domainname: "setdomainname" } as const;
  return (["hostname", "domainname"] as const).flatMap((member) => {
    const name = config[member];
    if (name === undefined) return [];
    const reason = { label: `set ${member} to ${JSON.stringify(name)}`, pointer: `/${member}` };
    return [step(reason, calls[member], [name, byteLength(name)])];
  });
}
