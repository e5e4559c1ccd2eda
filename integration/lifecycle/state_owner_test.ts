/** State that others than root could have written is nobody's to act on. */

import { containerTest } from "../support/fixture.ts";
import { fails, hakoOf, ok, statusOf } from "../support/commands.ts";

const USER = 1000;

containerTest("no command acts on state that others could have written", async (box) => {
  const hako = hakoOf(box);
  const { path } = box.bundle({ args: ["sleep", "1000"] });
  await ok(hako("create", "--bundle", path, box.id));
  const own = `${box.state}/${box.id}`;
  const loosened: readonly [string, () => void][] = [
    [box.state, () => Deno.chownSync(box.state, USER, 0)],
    [box.state, () => Deno.chmodSync(box.state, 0o777)],
    [box.state, () => (Deno.chownSync(box.state, 0, USER), Deno.chmodSync(box.state, 0o770))],
    [own, () => Deno.chownSync(own, USER, 0)],
    [own, () => Deno.chmodSync(own, 0o702)],
    [
      own,
      () => (Deno.renameSync(own, `${box.directory}/moved`), Deno.symlinkSync(`${box.directory}/moved`, own)),
    ],
  ];
  for (const [culprit, loosen] of loosened) {
    loosen();
    const commands = [
      ["state", box.id],
      ["start", box.id],
      ["kill", box.id, "KILL"],
      ["exec", box.id, "true"],
      ["delete", "--force", box.id],
      ...culprit === box.state ? [["create", "--bundle", path, `${box.id}-other`]] : [],
    ];
    for (const command of commands) {
      await fails(
        hako(...command),
        `others could have written to ${culprit}`,
        command[0] === "exec" ? 255 : 1,
      );
    }
    if (Deno.lstatSync(own).isSymlink) {
      Deno.removeSync(own);
      Deno.renameSync(`${box.directory}/moved`, own);
    }
    for (const [directory, mode] of [[box.state, 0o711], [own, 0o700]] as const) {
      Deno.chownSync(directory, 0, 0);
      Deno.chmodSync(directory, mode);
    }
  }
  await statusOf(hako, box.id);
  // The sticky bit is enough for the root: what is in it belongs to us.
  Deno.chmodSync(box.state, 0o1777);
  await ok(hako("delete", "--force", box.id));
});
