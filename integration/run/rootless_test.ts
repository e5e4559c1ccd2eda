/** An ordinary user's containers: one id of its own, and the ranges that newuidmap(1) grants. */

import { assertEquals } from "@std/assert";
import { build } from "../../build.ts";
import type { Config, Process } from "../../runtime/spec/config.ts";
import { afterMounting, type Box, containerTest } from "../support/fixture.ts";
import { type Result, run } from "../support/hako.ts";

const USER = 4242;
const RANGE = { containerID: 1, hostID: 300_000, size: 65_536 };
const own = { containerID: 0, hostID: USER, size: 1 };

const needs = ["newuidmap", "setpriv", "unshare"];

/** Runs the container as a user who is in copies of /etc/passwd, subuid and subgid only. */
async function runAsUser(
  box: Box,
  mappings: readonly (typeof own)[],
  user?: Process["user"],
): Promise<Result> {
  const [etc, runtimeDirectory] = [`${box.directory}/etc`, `${box.directory}/run`];
  const hako = build(`${box.directory}/dist`);
  for (const path of [etc, runtimeDirectory]) Deno.mkdirSync(path);
  Deno.chownSync(runtimeDirectory, USER, USER);
  const write = (name: string, text: string) => Deno.writeTextFileSync(`${etc}/${name}`, text);
  write("passwd", `root:x:0:0::/:/bin/sh\nhako-user:x:${USER}:${USER}::/:/bin/sh\n`);
  write("subuid", `hako-user:${RANGE.hostID}:${RANGE.size}\n`);
  write("subgid", `hako-user:${RANGE.hostID}:${RANGE.size}\n`);
  const { path } = box.bundle({
    script:
      "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups | tr -s ' '; id -u; id -g; grep ^Groups /proc/self/status",
  });
  const asUser = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
  const bundle: Config = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
  const { resources: _none, ...linux } = bundle.linux!;
  const namespaces = [{ type: "user" }, { type: "mount" }, { type: "pid" }];
  Deno.writeTextFileSync(
    `${path}/config.json`,
    JSON.stringify({
      ...bundle,
      hostname: undefined,
      process: { ...bundle.process!, user: user ?? bundle.process!.user },
      mounts: bundle.mounts!.filter(({ destination }) => ["/proc", "/dev"].includes(destination)),
      linux: { ...linux, namespaces, uidMappings: mappings, gidMappings: mappings },
    }),
  );
  Deno.chownSync(path, USER, USER);
  const mounts = ["passwd", "subuid", "subgid"].map((name) => `mount --bind ${etc}/${name} /etc/${name}`);
  return await run([
    ...afterMounting(mounts.join("\n")),
    ...asUser,
    hako,
    "--cgroup-manager=disabled",
    ...["run", "--bundle", path, box.id],
  ], { env: { XDG_RUNTIME_DIR: runtimeDirectory } });
}

containerTest("a user maps its own id alone, and can set no groups", async (box) => {
  const { status, stdout, stderr } = await runAsUser(box, [own]);
  const map = ` 0 ${USER} 1\n`;
  assertEquals({ status, stdout, stderr }, {
    status: 0,
    stdout: `${map}${map}deny\n0\n0\nGroups:\t \n`,
    stderr: "",
  });
}, { needs });

containerTest("a user maps what /etc/subuid and /etc/subgid grant, and sets groups of it", async (box) => {
  const user = { uid: 33, gid: 34, additionalGids: [44] };
  const { status, stdout, stderr } = await runAsUser(box, [own, RANGE], user);
  const map = ` 0 ${USER} 1\n 1 ${RANGE.hostID} ${RANGE.size}\n`;
  assertEquals({ status, stdout, stderr }, {
    status: 0,
    stdout: `${map}${map}allow\n33\n34\nGroups:\t44 \n`,
    stderr: "",
  });
}, { needs });

containerTest("ids that nobody granted are refused in newgidmap's words", async (box) => {
  const { status, stdout, stderr } = await runAsUser(box, [own, { ...RANGE, hostID: 1_000_000 }]);
  assertEquals({ status, stdout, stderr }, {
    status: 1,
    stdout: "",
    stderr:
      "hako: config.json /linux/gidMappings: newgidmap: gid range [1-65537) -> [1000000-1065536) not allowed\n",
  });
}, { needs });
