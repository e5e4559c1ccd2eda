/** Calls of the runtime's that no survey leads into a fault, and why. @module */
import { NO_CRIU } from "../checkpoint/criu.ts";
import type { Site } from "./sites.ts";

/** By source, or by source and text. */
const LEFT_OUT: readonly (readonly [RegExp, why: string])[] = [
  ...NO_CRIU === undefined
    ? []
    : [[/^runtime\/(container\/criu\/|linux\/packets\.ts|cli\/restore\.ts)/, NO_CRIU] as const],
  [/^runtime\/container\/criu\/restored\.ts .*close\(this\.#terminal\)/, "the caller's terminal"],
  [/^runtime\/container\/intel_rdt_stats\.ts/, "no such CPU here: integration/run/intel_rdt_test.ts"],
  [/^runtime\/container\/intel_rdt\.ts/, "no such CPU here: integration/run/intel_rdt_test.ts"],
  [/^cgroups\/systemd\//, "no systemd here: tests/cgroups/systemd has a bus that fails"],
  [/^cgroups\/hierarchy_cgroup\.ts .*chownSync/, "a cgroup that is delegated: integration/cgroups"],
  [/^runtime\/container\/foreground\.ts .*SIGWINCH/, "a terminal that gets another size: integration/run"],
  ...Deno.build.arch === "x86_64"
    ? []
    : [[/^runtime\/(snapshot\/|linux\/ptrace)/, "no snapshots here"] as const],
  [
    /^runtime\/(linux\/ptrace|snapshot\/take)\.ts .*(DETACH|"kill")/,
    "nobody is kept from it who traces a child",
  ],
  [
    /^runtime\/(snapshot\/idle|cli\/(snapshot|rehearse)|linux\/standstill)\.ts/,
    "the process that a snapshot is taken of: integration/install",
  ],
  [/^runtime\/host\/ownership\.ts/, "the start of every command: integration/install/place_test.ts"],
  [
    /^runtime\/container\/late_facts\.ts .*first/,
    "a /proc that hides: integration/lifecycle/rootless_test.ts",
  ],
  [
    /^runtime\/host\/gather\.ts .*readTextFileSync\(file\)/,
    "no AppArmor or SELinux here: without an answer labels are refused",
  ],
  [/^runtime\/log_daemons\.ts/, "daemons whose sockets are the host's: integration/run/log_daemons_test.ts"],
  [/^runtime\/linux\/sockets\.ts write/, "a socket that takes a part of what is sent"],
  [
    /^runtime\/container\/state\.ts .*(statSync\(this\.path\)|\/proc\/locks)/,
    "delete while it is created: integration/lifecycle",
  ],
  [
    /^runtime\/container\/lock_holder\.ts .*\/proc\/self"/,
    "delete while it is created, which waits for ever where /proc has no locks: integration/lifecycle",
  ],
  [
    /^runtime\/init\/report\.ts/,
    "an init that is killed in execve(2), or whose runtime was: barriers_test.ts",
  ],
  [/^runtime\/init\/init\.ts this\.#stopped/, "a process that stops us: integration/attacks/exec_test.ts"],
  [
    /^runtime\/container\/(create|exec|container)\.ts .*terminal !== undefined/,
    "the caller's terminal",
  ],
];

/** Lines that nobody knows a reason for, and reasons without a line. Those that are led there by chance may have one. */
export function unexplained(all: ReadonlyMap<Site, string>, reached: ReadonlySet<Site>): string[] {
  const found = [...all].map(([site, text]) => ({ site, text: `${site.replace(/:\d+$/, "")} ${text}` }));
  const missing = found.filter(({ site }) => !reached.has(site));
  return [
    ...missing.filter(({ text }) => !LEFT_OUT.some(([pattern]) => pattern.test(text)))
      .map(({ site, text }) => `not made to fail: ${site}: ${text}`),
    ...LEFT_OUT.filter(([pattern]) => !found.some(({ text }) => pattern.test(text)))
      .map(([pattern, why]) => `nothing to be left out: ${pattern} (${why})`),
  ];
}
