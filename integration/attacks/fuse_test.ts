/**
 * A root filesystem on FUSE whose server never answers: whoever touches it waits, and can only be killed.
 *
 * @see fuse(4)
 * @module
 */
import { assertEquals } from "@std/assert";
import { containerTest, inMountNamespace } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** What of a container lies there. */
const PLACES = { "the root filesystem": "", "a directory that is mounted on": "/data" } as const;

for (const [what, place] of Object.entries(PLACES)) {
  containerTest(
    `${what} hangs: the runtime can be killed, and delete --force removes what is left`,
    async (box) => {
      const { path, rootfs } = box.bundle({
        args: ["/bin/true"],
        mounts: [{ destination: "/data/deep", type: "tmpfs", source: "tmpfs" }],
        image: (rootfs) => Deno.mkdirSync(`${rootfs}/data`),
      });
      const create = [...HAKO, "--root", box.state, "create", "--bundle", path, box.id];
      // The connection lives for as long as somebody has its descriptor: this shell alone.
      const remove = [...HAKO, "--root", box.state, "delete", "--force", box.id].join(" ");
      const script = `
        exec 5<>/dev/fuse
        mount -i -t fuse -o fd=5,rootmode=40000,user_id=0,group_id=0 hangs ${rootfs}${place}
        status=0
        timeout --signal=KILL 3 "$@" 5<&- >/dev/null 2>&1 || status=$?
        timeout --signal=KILL 20 ${remove} 5<&- || status="$status, delete: $?"
        echo "$status"`;
      const { stdout, stderr } = await run([...inMountNamespace(script), ...create]);
      assertEquals({ stdout, stderr }, { stdout: "137\n", stderr: "" });
    },
    { needs: ["mount", "timeout"], ...Deno.uid() === 0 && !hasFuse() && { skip: "no /dev/fuse" } },
  );
}

function hasFuse(): boolean {
  try {
    return Deno.statSync("/dev/fuse").isCharDevice === true;
  } catch {
    return false;
  }
}
