/** Table-driven cases for the checks of config.json. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { validateConfig } from "../../../runtime/spec/parse.ts";

/** A change to a config: JSON values by RFC 6901 pointer; `undefined` removes the member. */
export type Change = Readonly<Record<string, unknown>>;

/** A change, the pointer that the error must have, and a part of its message. */
export type RefusedCase = readonly [change: Change, pointer: string, fragment: string];

/** A small config with every namespace, so that each case differs in one thing only. */
export function baseConfig(): Record<string, unknown> {
  return {
    ociVersion: "1.2.0",
    process: { cwd: "/", args: ["true"], user: { uid: 0, gid: 0 } },
    root: { path: "rootfs" },
    linux: {
      namespaces: ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"].map((type) => ({
        type,
      })),
      uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
    },
  };
}

/** The base config with a change. Parents that do not exist are made. */
export function changedConfig(change: Change): unknown {
  const config = baseConfig();
  for (const [pointer, value] of Object.entries(change)) {
    const tokens = pointer.split("/").slice(1);
    const last = tokens.pop()!;
    let parent: Record<string, unknown> = config;
    for (const token of tokens) parent = (parent[token] ??= {}) as Record<string, unknown>;
    parent[last] = value;
  }
  return config;
}

/** The namespaces of the base config without some. */
export function namespacesWithout(...types: string[]): unknown[] {
  return ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]
    .filter((type) => !types.includes(type))
    .map((type) => ({ type }));
}

/** A change that takes the user namespace away, with its mappings. */
export const WITHOUT_USER_NAMESPACE: Change = {
  "/linux/namespaces": namespacesWithout("user"),
  "/linux/uidMappings": undefined,
  "/linux/gidMappings": undefined,
};

export function testRefused(name: string, cases: readonly RefusedCase[]): void {
  for (const [change, pointer, fragment] of cases) {
    Deno.test(`${name} refuses ${show(change)}`, () => {
      const error = assertThrows(() => validateConfig(changedConfig(change)), ConfigError);
      assertStringIncludes(error.message, fragment);
      assertEquals(error.pointer, pointer);
      assertEquals(error.message.includes("\n"), false, "an error is one line");
    });
  }
}

export function testAccepted(name: string, changes: readonly Change[]): void {
  for (const change of changes) {
    Deno.test(`${name} accepts ${show(change)}`, () => {
      validateConfig(changedConfig(change));
    });
  }
}

function show(change: Change): string {
  const text = JSON.stringify(change, (_key, value) => {
    if (value === undefined) return "(absent)";
    return typeof value === "bigint" ? `${value}` : value;
  });
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
