/** Podman as an ordinary user: without cgroups here, where nobody has given the user any. @module */
import { assertEquals } from "@std/assert";
import { ended, processes } from "../engines/machine.ts";
import { type Cases, expect, until } from "../engines/suite.ts";
import { asUser, IMAGE, newName } from "./podman.ts";

const podman = (...words: readonly string[]) => asUser("podman", ...words);
const run = (options: readonly string[], ...words: readonly string[]) =>
  podman("run", "--rm", "--network", "none", ...options, IMAGE, ...words);

const UID_MAP = "tr -s ' ' </proc/self/uid_map";

export const rootlessCases: Cases = {
  "rootless: root inside, and the subordinate ids": async () => {
    const script = `id -u; ${UID_MAP}; touch /x && chown 5:5 /x && stat -c %u:%g /x`;
    expect(await run([], "sh", "-c", script), { stdout: "0\n 0 2000 1\n 1 300000 65536\n5:5" });
  },
  "rootless: --userns=keep-id": async () => {
    expect(await run(["--userns", "keep-id"], "sh", "-c", "id -u; stat -c %u /proc/1"), {
      stdout: "2000\n2000",
    });
  },
  "rootless: --uidmap and a user": async () => {
    expect(
      await run(
        ["--uidmap", "0:1:1000", "--gidmap", "0:1:1000", "--user", "7:8"],
        "sh",
        "-c",
        "id -u; id -g",
      ),
      {
        stdout: "7\n8",
      },
    );
  },
  "rootless: devices, /proc, /sys": async () => {
    const script =
      "head -c 2 /dev/zero | wc -c; echo x >/dev/null; ls /sys/class >/dev/null && touch /proc/sys/kernel/hostname";
    expect(await run([], "sh", "-c", script), { status: 1, stdout: "2", stderr: /Read-only file system/ });
  },
  "rootless: volumes, temporary files, read-only": async () => {
    const options = ["-v", "/made", "--tmpfs", "/t", "--read-only", "-v", "/etc/passwd:/p:ro"];
    expect(await run(options, "sh", "-c", "touch /made/x /t/x; grep -c hako-test /p; touch /x"), {
      status: 1,
      stdout: "1",
    });
  },
  "rootless: capabilities, no-new-privileges, seccomp": async () => {
    const script = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t\\n' ' '";
    expect(await run(["--cap-drop", "all", "--security-opt", "no-new-privileges"], "sh", "-c", script), {
      stdout: "CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2",
    });
  },
  "rootless: network and process namespace of the host": async () => {
    expect(
      await podman("run", "--rm", "--network", "host", IMAGE, "sh", "-c", "ls /sys/class/net && echo $$"),
      {
        stdout: /\n1$/,
      },
    );
  },
  "rootless: run -d, exec, logs, stop": async () => {
    const name = newName();
    expect(
      await podman(
        "run",
        "-d",
        "--name",
        name,
        "--network",
        "none",
        IMAGE,
        "sh",
        "-c",
        "echo up; exec sleep 1000",
      ),
    );
    try {
      expect(await podman("exec", "-u", "1000", name, "id", "-u"), { stdout: "1000" });
      expect(await podman("exec", name, "absent"), { status: 127 });
      await until("the log", async () => (await podman("logs", name)).stdout === "up\n");
      expect(await podman("stop", "--time", "0", name));
      expect(await podman("inspect", "--format", "{{.State.ExitCode}}", name), { stdout: "137" });
    } finally {
      expect(await podman("rm", "--force", "--time", "0", name));
    }
  },
  "rootless: exit codes of what cannot run": async () => {
    expect(await run([], "absent"), { status: 127 });
    expect(await run([], "/etc/notes"), { status: 126 });
  },
  "rootless: nothing is left": async () => {
    expect(await podman("ps", "--all", "--quiet"), { stdout: "" });
    await ended(/conmon|^sleep/);
    assertEquals(processes(/hako run|runc run|crun run/), []);
  },
};
