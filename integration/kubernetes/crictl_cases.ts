/**
 * The node as an administrator sees it, by crictl of Kubernetes' cri-tools, which Debian 12 does not have.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { IMAGE } from "../containerd/image.ts";
import { BOX, command, ID, printLimit } from "../engines/machine.ts";
import { type Cases, expect, unless, until } from "../engines/suite.ts";
import { HANDLER } from "./containerd.ts";
import { SOCKET } from "./cri.ts";

const CRICTL = Deno.env.get("CRICTL");

/** Runs `crictl` with these words. */
const crictl = command(CRICTL ?? "crictl", "--runtime-endpoint", `unix://${SOCKET}`);

function file(name: string, content: unknown): string {
  const path = `${BOX}/${name}.json`;
  Deno.writeTextFileSync(path, JSON.stringify(content));
  return path;
}

function container(name: string, script: string, resources = {}): string {
  return file(name, {
    metadata: { name },
    image: { image: IMAGE },
    command: ["sh", "-c", script],
    log_path: `${name}.log`,
    linux: { resources, security_context: OWN_PROCESSES },
  });
}

/** NamespaceMode CONTAINER, of the pod and of each container. */
const OWN_PROCESSES = { namespace_options: { pid: 1 } };

export const crictlCases: Cases = unless(CRICTL ? undefined : "CRICTL does not name a crictl", {
  "crictl: a pod with two containers, from runp to rmp": async () => {
    const podFile = file("crictl-pod", {
      metadata: { name: "crictl", uid: `${ID}-crictl`, namespace: "default" },
      log_directory: `${BOX}/logs`,
      linux: { cgroup_parent: `/${ID}/crictl`, security_context: OWN_PROCESSES },
    });
    const pod = expect(await crictl("runp", "--runtime", HANDLER, podFile));
    try {
      const serverFile = container("server", "exec httpd -f -p 80 -h /etc", {
        memory_limit_in_bytes: 33554432,
      });
      const clientFile = container(
        "client",
        "trap 'exit 5' TERM; until wget -qO- 127.0.0.1/notes; do sleep 0.1; done; while :; do sleep 0.1; done",
      );
      const server = expect(await crictl("create", pod, serverFile, podFile));
      const client = expect(await crictl("create", pod, clientFile, podFile));
      expect(await crictl("start", server, client));
      await until(
        "the page",
        async () => expect(await crictl("logs", client)) === "not a program",
      );
      assertEquals(expect(await crictl("ps", "--quiet", "--pod", pod)).split("\n").length, 2);
      expect(await crictl("exec", "--sync", server, "cat", "/proc/1/comm"), { stdout: "httpd" });
      // Its own exit code is 1.
      const failed = await crictl("exec", "--sync", server, "sh", "-c", "exit 8");
      assertMatch(failed.stdout + failed.stderr, /\b8\b/);
      expect(await crictl("update", "--memory", "67108864", server));
      const limit = printLimit("memory/memory.limit_in_bytes", "memory.max");
      expect(await crictl("exec", "--sync", server, "sh", "-c", limit), { stdout: "67108864" });
      expect(await crictl("stats", server), { stdout: /server/ });
      expect(await crictl("stop", "--timeout", "10", client));
      const { status } = JSON.parse(expect(await crictl("inspect", client)));
      assertEquals([status.state, status.exitCode], ["CONTAINER_EXITED", 5]);
      expect(await crictl("rm", client));
    } finally {
      expect(await crictl("stopp", pod));
      expect(await crictl("rmp", pod));
    }
  },
});
