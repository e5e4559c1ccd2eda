/**
 * The container's /etc/passwd says where its user is at home. It is the image's, and read by the runtime.
 *
 * @module
 */
import { S_IFCHR, S_IFIFO } from "../../runtime/linux/generated/constants.ts";
import { assert, assertEquals } from "@std/assert";
import { type Box, containerCases, containerTest } from "../support/fixture.ts";
import { until } from "../support/commands.ts";
import { mknod } from "../support/files.ts";
import { run } from "../support/hako.ts";

const ROOT = "root:x:0:0:root:/home/found:/bin/sh\n";

/** What makes the file, and the HOME that comes of it. */
const CASES: Readonly<Record<string, readonly [make: (path: string, box: Box) => void, home: string]>> = {
  "a file": [(path) => Deno.writeTextFileSync(path, `bin:x:1:1:::\n${ROOT}`), "/home/found"],
  "a link in the image": [(path) => {
    Deno.writeTextFileSync(`${path}.real`, ROOT);
    Deno.symlinkSync("/../../etc/passwd.real", path);
  }, "/home/found"],
  "a link to the host's": [(path, box) => {
    Deno.writeTextFileSync(`${box.directory}/passwd`, ROOT);
    Deno.symlinkSync(`${box.directory}/passwd`, path);
  }, "/"],
  "a link through /proc": [(path, box) => {
    Deno.writeTextFileSync(`${box.directory}/passwd`, ROOT);
    Deno.symlinkSync(`/proc/self/root${box.directory}/passwd`, path);
  }, "/"],
  "a loop": [(path) => Deno.symlinkSync("passwd", path), "/"],
  "a directory": [(path) => Deno.mkdirSync(path), "/"],
  "a FIFO that nobody writes to": [(path) => mknod(path, S_IFIFO), "/"],
  // makedev(1, 5)
  "an endless device": [(path) => mknod(path, S_IFCHR, 0x105), "/"],
  "endless zeros": [(path) => {
    Deno.writeTextFileSync(path, "");
    Deno.truncateSync(path, 2 ** 40);
  }, "/"],
  "a long file, read up to a limit": [
    (path) => Deno.writeTextFileSync(path, "x".repeat(1 << 24) + "\n" + ROOT),
    "/",
  ],
  "no text": [
    (path) =>
      Deno.writeFileSync(path, new Uint8Array([...Array(4096).keys()].map((byte) => byte * 251 % 256))),
    "/",
  ],
  "lines of other forms": [
    (path) =>
      Deno.writeTextFileSync(path, `:\n::::::\nroot\nroot:x:00:0::/a:\nroot:x: 0:0::/b:\n0\n+::0:0::/c`),
    "/c",
  ],
  "a home with a NUL": [(path) => Deno.writeTextFileSync(path, "root:x:0:0::/a\0PATH=/b:/bin/sh\n"), "/a"],
  "a home that looks like another variable": [
    (path) => Deno.writeTextFileSync(path, "root:x:0:0::\nroot:x:0:0::LD_PRELOAD=/x:\n"),
    "LD_PRELOAD=/x",
  ],
};

containerCases(Object.fromEntries(
  Object.entries(CASES).map(([name, [make, home]]) => [`/etc/passwd is ${name}`, (box: Box) => ({
    script: 'echo "HOME=$HOME"; env | grep -c = ',
    image(rootfs: string) {
      Deno.removeSync(`${rootfs}/etc/passwd`);
      make(`${rootfs}/etc/passwd`, box);
    },
    // PATH, TERM, HOME, and PWD and SHLVL of the shell.
    stdout: `HOME=${home}\n5`,
  })]),
));

containerTest("a special file at /etc/passwd is not even opened: a device may act on that", async (box) => {
  const { path, rootfs } = box.bundle({ args: ["/bin/true"] });
  Deno.removeSync(`${rootfs}/etc/passwd`);
  mknod(`${rootfs}/etc/passwd`, S_IFIFO);
  // It waits for anybody to open the other end.
  const writer = new Deno.Command("sh", { args: ["-c", `: > ${rootfs}/etc/passwd`] }).spawn();
  const waits = () => {
    const wchan = `/proc/${writer.pid}/wchan`;
    try {
      return Deno.readTextFileSync(wchan) === "wait_for_partner";
    } catch {
      return false; // It has ended.
    }
  };
  try {
    await until(waits);
    assertEquals((await run(box.command(path))).status, 0);
    assert(waits(), "it was opened");
  } finally {
    if (waits()) writer.kill("SIGKILL");
    await writer.status;
  }
});
