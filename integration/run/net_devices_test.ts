/** linux.netDevices: interfaces that move into the container. In a network namespace of the test's own. */

import { assertEquals, assertMatch } from "@std/assert";
import { type Box, containerTest, type RunOptions } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

const NEEDS = { needs: ["ip", "unshare"] };

const DEVICES = `
ip link add one mtu 1400 address 02:00:00:00:00:01 type veth peer name one-peer; ip link set one up
ip address add 192.0.2.7/24 dev one; ip address add 192.0.2.8/24 dev one; ip -6 address add 2001:db8::7/64 dev one nodad
ip link add two type veth peer name two-peer`;

/** Runs a container beside the interfaces one, which is up and has addresses, and two. */
function beside(box: Box, options: RunOptions, after = "") {
  const { path } = box.bundle(options);
  const script = `set -e; ip link set lo up; ${DEVICES}\n"$@" || exit; ${after}`;
  return run(box.command(path, { ...options, under: ["unshare", "--net", "sh", "-c", script, "sh"] }));
}

const SHOW =
  "ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*<(.*)> mtu ([0-9]+).*link.([a-z]+) ([0-9a-f:]+).*/\\1 \\2 \\3 \\5/'; " +
  "ip -o address | grep -v scope.link | sed -E 's/^[0-9]+: (\\S+) +(\\S+ \\S+) .*/\\1 \\2/' | grep -v ^lo";

containerTest("netDevices: with its addresses, under a name of its own", async (box) => {
  const { stdout, stderr, status } = await beside(box, {
    config: { linux: { netDevices: { one: { name: "eth0" }, two: {} } } },
    script: SHOW,
  }, "! ip link show one 2>/dev/null");
  assertEquals({ status, stderr }, { status: 0, stderr: "" });
  const lines = stdout.trim().split("\n");
  assertMatch(
    lines.find((line) => line.startsWith("eth0 ") && line.includes("UP"))!,
    / 1400 02:00:00:00:00:01$/,
  );
  assertEquals(lines.some((line) => line.startsWith("two ") && line.includes("UP")), true, stdout);
  for (const address of ["inet 192.0.2.7/24", "inet 192.0.2.8/24", "inet6 2001:db8::7/64"]) {
    assertEquals(lines.includes(`eth0 ${address}`), true, stdout);
  }
}, NEEDS);

containerTest("netDevices: one that is not there is named, and the others are as before", async (box) => {
  const { status, stderr } = await beside(box, {
    config: { linux: { netDevices: { three: {} } } },
    script: ":",
  });
  assertEquals(status, 1);
  assertMatch(
    stderr,
    /move network interface three .*no such device \(ENODEV\).*\/linux\/netDevices\/three$/m,
  );
}, NEEDS);

containerTest("netDevices: a name that is taken is refused", async (box) => {
  const { stderr } = await beside(box, {
    config: { linux: { netDevices: { one: { name: "lo" } } } },
    script: ":",
  });
  assertMatch(stderr, /file exists \(EEXIST\).*\/linux\/netDevices\/one$/m);
}, NEEDS);
