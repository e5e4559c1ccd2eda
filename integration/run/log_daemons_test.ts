/** `--log` to the sockets of syslog and of the journal, in a mount namespace that has them or has them not. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { close, read } from "../../runtime/linux/files.ts";
import { bindDatagrams } from "../../runtime/linux/sockets.ts";
import { journalRecord } from "../../runtime/log_daemons.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, type Result, run } from "../support/hako.ts";

/** Becomes the command "$@" with the socket $0, if there is one, in place of syslog's and of the journal's. */
const SCRIPT = `
mkdir "$0.dev"
mount --rbind /dev "$0.dev"
mount -t tmpfs tmpfs /dev
mount -t tmpfs tmpfs /run
for name in null zero random urandom; do
  touch /dev/$name
  mount --bind "$0.dev/$name" /dev/$name
done
mkdir -p /run/systemd/journal
if [ -e "$0" ]; then
  for path in /dev/log /run/systemd/journal/socket; do
    touch $path
    mount --bind "$0" $path
  done
fi
exec "$@"`;

const DESTINATIONS = { syslog: "/dev/log", journald: "/run/systemd/journal/socket" } as const;

function inNamespace(box: Box): string[] {
  return ["unshare", "--mount", "sh", "-ec", SCRIPT, `${box.directory}/socket`];
}

/** A command that fails. */
function fail(box: Box, global: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  return run([...inNamespace(box), ...HAKO, "--root", box.state, ...global, "state", "nothing"], { env });
}

/** What the daemon receives, and stderr. */
async function logged(box: Box, global: readonly string[], env?: Record<string, string>) {
  const server = bindDatagrams(`${box.directory}/socket`);
  try {
    const { status, stdout, stderr } = await fail(box, global, env);
    assertEquals([status, stdout], [1, ""], stderr);
    return { stderr, record: new TextDecoder().decode(read(server, 4096)) };
  } finally {
    close(server);
  }
}

const needs = ["unshare"];

containerTest("--log=syslog:NAME is a datagram as syslog(3) sends it, in the caller's time", async (box) => {
  const { stderr, record } = await logged(box, ["--log=syslog:box"], { TZ: "Asia/Tokyo" });
  const [, stamp, text] = /^<11>(\w{3} [ \d]\d \d\d:\d\d:\d\d) (box: .*)$/.exec(record) ?? [];
  assertEquals(text, stderr.trimEnd().replace(/^hako: /, "box: "), record);
  // The year is not said.
  const now = new Date();
  const age = now.getTime() - Date.parse(`${stamp} ${now.getUTCFullYear()} GMT+0900`);
  assert(Math.abs(age) % (365 * 86_400_000) < 60_000, record);
}, { needs });

containerTest("--log=journald:NAME is an entry of the journal", async (box) => {
  const { stderr, record } = await logged(box, ["--log", "journald:box"]);
  const message = stderr.trimEnd().replace(/^hako: /, "");
  assertEquals(record, new TextDecoder().decode(journalRecord("error", message, "box")));
}, { needs });

containerTest("a daemon's entries without a name are Hako's", async (box) => {
  const { stderr, record } = await logged(box, ["--log=syslog:"]);
  assertEquals(record.slice("<11>Jan  1 00:00:00 ".length), stderr.trimEnd());
}, { needs });

containerTest(
  "warnings of a container that runs go to the journal alone, as JSON if asked to",
  async (box) => {
    const { path } = box.bundle({
      config: { process: { capabilities: { bounding: ["CAP_NOTHING"] } } },
      script: "true",
    });
    const server = bindDatagrams(`${box.directory}/socket`);
    try {
      const global = ["--log", "journald:box", "--log-format", "json"];
      const command = box.command(path, { under: inNamespace(box), global });
      assertEquals(await run(command), { status: 0, stdout: "", stderr: "" });
      const record = new TextDecoder().decode(read(server, 4096));
      assertMatch(record, /^MESSAGE\n[^]{8}\{"level":"warning",.*\}\nPRIORITY\n[^]{8}4\n/);
    } finally {
      close(server);
    }
  },
  { needs },
);

for (const [daemon, path] of Object.entries(DESTINATIONS)) {
  containerTest(`--log=${daemon}:NAME without the daemon is an error`, async (box) => {
    const error = `hako: cannot open the log: connect ${path}: no such file or directory (ENOENT)\n`;
    assertEquals(await fail(box, ["--log", `${daemon}:box`]), { status: 1, stdout: "", stderr: error });
  }, { needs });
}

containerTest("--log=file:PATH is a path, and so is any other text with a colon", async (box) => {
  for (const [value, path] of [["file:log", "log"], ["other:log", "other:log"]] as const) {
    const command = [...HAKO, "--root", box.state, "--log", value, "state", "nothing"];
    assertEquals((await run(command, { cwd: box.directory })).status, 1);
    assert(Deno.readTextFileSync(`${box.directory}/${path}`).includes("level=error"));
  }
});
