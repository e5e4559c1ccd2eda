/** What systemd hands to a command for its container: LISTEN_FDS and NOTIFY_SOCKET. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { close, read, write } from "../../runtime/linux/files.ts";
import { bindDatagrams, connectDatagrams } from "../../runtime/linux/sockets.ts";
import { hakoOf, ok, statusOf, until } from "../support/commands.ts";
import { receiveDescriptor } from "../support/descriptors.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** Runs a container with descriptors 3 to 5 open, as `environment` says. */
function withListening(box: Box, environment: string, options: string): Promise<{ readonly stdout: string }> {
  const { path } = box.bundle({
    script:
      'echo "$LISTEN_FDS $LISTEN_PID"; for fd in 3 4 5 6; do [ -e /proc/self/fd/$fd ] && echo $fd; done; :',
  });
  const script =
    `exec 3</etc/passwd 4</etc/group 5</etc/hosts; ${environment}; exec "$@" run ${options} -b ${path} ${box.id}`;
  return run(["sh", "-c", script, "sh", ...HAKO, "--root", box.state]);
}

containerTest("LISTEN_FDS: the sockets come first, then the preserved descriptors", async (box) => {
  const activated = "export LISTEN_FDS=2 LISTEN_PID=$$";
  assertEquals((await withListening(box, activated, "")).stdout, "2 1\n3\n4\n");
  assertEquals((await withListening(box, activated, "--preserve-fds 1")).stdout, "2 1\n3\n4\n5\n");
});

containerTest("LISTEN_FDS for another process is none for us", async (box) => {
  assertEquals((await withListening(box, "export LISTEN_FDS=2 LISTEN_PID=1", "")).stdout, " \n");
});

for (const abstract of [false, true]) {
  containerTest(
    `NOTIFY_SOCKET, ${abstract ? "abstract" : "a file"}: start returns when the container is ready`,
    async (box) => {
      const path = abstract ? `@${box.id}` : `${box.directory}/host`;
      const server = bindDatagrams(path);
      try {
        const hako = hakoOf(box, [], { env: { NOTIFY_SOCKET: path } });
        const { path: bundle } = box.bundle({
          script: 'echo "$NOTIFY_SOCKET"; [ -S "$NOTIFY_SOCKET" ] && echo socket; exec sleep 1000',
        });
        await ok(hako("create", "--bundle", bundle, box.id));
        let returned = false;
        const start = hako("start", box.id).finally(() => returned = true);
        await until(async () => await statusOf(hako, box.id) === "running");

        const inside = connectDatagrams(`${box.state}/${box.id}/notify/notify.sock`);
        write(inside, new TextEncoder().encode("STATUS=soon\n"));
        assertEquals(returned, false);
        write(inside, new TextEncoder().encode("STATUS=now\nREADY=1\n"));
        close(inside);
        const { pid } = JSON.parse(await ok(hako("state", box.id)));
        assertEquals(new TextDecoder().decode(read(server, 4096)), `READY=1\nMAINPID=${pid}\n`);
        const { text, fd } = receiveDescriptor(server);
        assertEquals([text, returned], ["BARRIER=1", false]);
        close(fd);
        assertEquals((await start).status, 0);
        await ok(hako("delete", "--force", box.id));
      } finally {
        close(server);
      }
    },
  );
}

containerTest(
  "NOTIFY_SOCKET: the container sees a socket, and one that ends without a word keeps nobody",
  async (box) => {
    const server = bindDatagrams(`${box.directory}/host`);
    try {
      const hako = hakoOf(box, [], { env: { NOTIFY_SOCKET: `${box.directory}/host` } });
      const { path } = box.bundle({
        script: 'echo "$NOTIFY_SOCKET"; [ -S "$NOTIFY_SOCKET" ] && echo socket; :',
      });
      assertStringIncludes(await ok(hako("run", "-b", path, box.id)), "/run/notify/notify.sock\nsocket\n");
    } finally {
      close(server);
    }
  },
);
