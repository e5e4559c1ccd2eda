import { assertEquals } from "@std/assert";
import { capabilityWarnings, dropBoundingSet, setCapabilities } from "../../../runtime/plan/capabilities.ts";
import type { Capabilities } from "../../../runtime/spec/config.ts";
import { assertPlan, testConfig, testHost, testProcess, USERNS } from "./fixture.ts";

const CAP_CHOWN = 1n << 0n;
const CAP_KILL = 1n << 5n;
const CAP_SYSLOG = 1n << 34n;
const process = (capabilities: Capabilities) => testProcess({ capabilities });
const all = (...names: string[]): Capabilities => ({
  bounding: names,
  effective: names,
  permitted: names,
  inheritable: names,
  ambient: names,
});

Deno.test("dropBoundingSet drops what is not in the set", () => {
  assertPlan(
    dropBoundingSet(process({ bounding: ["CAP_CHOWN", "CAP_FOWNER"] }), testHost({ lastCapability: 4 })),
    `
    drop capabilities from the bounding set  /process/capabilities/bounding
    1  prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)
    2  prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH)
    3  prctl(PR_CAPBSET_DROP, CAP_FSETID)
    `,
  );
});

Deno.test("dropBoundingSet drops everything without capabilities, and what only the kernel knows", () => {
  assertEquals(dropBoundingSet(testProcess(), testHost()).length, 41);
  assertEquals(dropBoundingSet(testProcess(), testHost({ lastCapability: 45 })).length, 46);
});

Deno.test("setCapabilities sets both words of each set", () => {
  assertPlan(
    setCapabilities(testConfig(), process(all("CAP_CHOWN", "CAP_SYSLOG")), testHost()),
    `
    set capabilities  /process/capabilities
    1  capset({version=_LINUX_CAPABILITY_VERSION_3}, {effective=permitted=inheritable=CAP_CHOWN|CAP_SYSLOG})
    set ambient capabilities  /process/capabilities/ambient
    2  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    3  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN)
    4  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYSLOG)
    `,
  );
});

Deno.test("setCapabilities empties all sets without capabilities", () => {
  assertPlan(
    setCapabilities(testConfig(), testProcess(), testHost()),
    `
    set capabilities  /process/capabilities
    1  capset({version=_LINUX_CAPABILITY_VERSION_3}, {effective=permitted=inheritable=0})
    set ambient capabilities  /process/capabilities/ambient
    2  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    `,
  );
});

const sets = (text: string) => `
  set capabilities  /process/capabilities
  1  capset({version=_LINUX_CAPABILITY_VERSION_3}, {${text}})
  set ambient capabilities  /process/capabilities/ambient
  2  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
`;

Deno.test("setCapabilities leaves out what the kernel would refuse, and a warning says so", async (t) => {
  const chown = ["CAP_CHOWN"];
  const both = ["CAP_CHOWN", "CAP_KILL"];
  const cases: {
    name: string;
    capabilities: Capabilities;
    held?: bigint;
    expected: string;
    warnings: string[];
  }[] = [
    {
      name: "a name that nobody knows",
      capabilities: { permitted: ["CAP_CHOWN", "CAP_FOO"], bounding: ["CAP_FOO"] },
      expected: "effective=inheritable=0, permitted=CAP_CHOWN",
      warnings: ["ignoring capabilities unknown to this kernel: CAP_FOO"],
    },
    {
      name: "a capability that the caller lacks",
      capabilities: { bounding: both, effective: both, permitted: both, inheritable: both },
      held: CAP_CHOWN,
      expected: "effective=permitted=inheritable=CAP_CHOWN",
      warnings: ["ignoring capabilities that the caller does not hold: CAP_KILL"],
    },
    {
      name: "effective and not permitted",
      capabilities: { effective: both, permitted: chown },
      expected: "effective=permitted=CAP_CHOWN, inheritable=0",
      warnings: ["ignoring capabilities that are effective but not permitted: CAP_KILL"],
    },
    {
      name: "inheritable and not in the bounding set",
      capabilities: { bounding: chown, permitted: both, inheritable: both },
      expected: "effective=0, permitted=CAP_CHOWN|CAP_KILL, inheritable=CAP_CHOWN",
      warnings: ["ignoring capabilities that are inheritable but not in the bounding set: CAP_KILL"],
    },
    {
      name: "ambient and not inheritable",
      capabilities: { bounding: both, permitted: both, ambient: chown },
      expected: "effective=inheritable=0, permitted=CAP_CHOWN|CAP_KILL",
      warnings: [
        "ignoring capabilities that are ambient but not both permitted and inheritable: CAP_CHOWN",
      ],
    },
  ];
  for (const { name, capabilities, held = CAP_CHOWN | CAP_KILL | CAP_SYSLOG, expected, warnings } of cases) {
    await t.step(name, () => {
      const host = testHost({ capabilities: held });
      assertPlan(setCapabilities(testConfig(), process(capabilities), host), sets(expected));
      assertEquals(capabilityWarnings(testConfig(), process(capabilities), host), warnings);
    });
  }
});

Deno.test("capabilities newer than the kernel are unknown to it", () => {
  const host = testHost({ lastCapability: 37 });
  assertEquals(capabilityWarnings(testConfig(), process(all("CAP_BPF", "CAP_CHOWN")), host), [
    "ignoring capabilities unknown to this kernel: CAP_BPF",
  ]);
});

Deno.test("a user namespace grants what the caller lacks", () => {
  const host = testHost({ capabilities: 0n, privileged: false });
  const capabilities = { permitted: ["CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN"] };
  assertPlan(
    setCapabilities(USERNS, process(capabilities), host),
    sets("effective=permitted=CAP_SYS_ADMIN, inheritable=0"),
  );
  assertEquals(capabilityWarnings(USERNS, process(capabilities), host), []);
});

Deno.test("there is nothing to warn of without capabilities", () => {
  assertEquals(capabilityWarnings(testConfig(), testProcess(), testHost({ capabilities: 0n })), []);
});
