/** The library in the place of the command line: what it opens it closes, and what it starts it ends. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError, createContainer, SyscallError } from "../../runtime/mod.ts";
import { type Box, containerTest, type RunOptions } from "../support/fixture.ts";

const MAPS = [{ containerID: 0, hostID: 1000, size: 1 }];

/** Containers that make the runtime open different things. */
const CONTAINERS: Readonly<Record<string, RunOptions>> = {
  "a plain one": { script: "exit 3" },
  "one with a terminal": { config: { process: { terminal: true } }, script: "exit 3" },
  "one with an id-mapped mount and a tmpfs that is filled": {
    mounts: [
      {
        destination: "/a",
        source: "/etc",
        options: ["rbind", "idmap"],
        uidMappings: MAPS,
        gidMappings: MAPS,
      },
      { destination: "/etc", type: "tmpfs", options: ["tmpcopyup"] },
    ],
    script: "exit 3",
  },
};

function create(box: Box, options: RunOptions) {
  const { path, config } = box.bundle(options);
  return createContainer(config, { id: box.id, bundle: path, root: box.state });
}

for (const [name, options] of Object.entries(CONTAINERS)) {
  containerTest(`${name}: run to its end`, async (box) => {
    const container = await create(box, options);
    container.start();
    assertEquals(await container.wait(), { kind: "exited", code: 3 });
    container.delete();
  });

  containerTest(
    `${name}: deleted before it was started`,
    async (box) => (await create(box, options)).delete(),
  );

  containerTest(`${name}: fails to be created`, async (box) => {
    await assertRejects(
      () => create(box, { ...options, script: undefined, args: ["/nothing"] }),
      SyscallError,
    );
  });

  containerTest(`${name}: fails to be started`, async (box) => {
    const image = (rootfs: string) => Deno.writeTextFileSync(`${rootfs}/text`, "text", { mode: 0o755 });
    const container = await create(box, { ...options, image, script: undefined, args: ["/text"] });
    assertThrows(() => container.start(), SyscallError, "exec format error");
    container.delete();
  });
}

containerTest("a config that nobody has checked does not change the host", async (box) => {
  const hostname = Deno.hostname();
  const { path, config } = box.bundle({ config: { linux: { namespaces: [{ type: "mount" }] } } });
  try {
    const options = { id: box.id, bundle: path, root: box.state };
    const error = await assertRejects(() => createContainer(config, options), ConfigError);
    assertEquals([error.pointer, Deno.hostname()], ["/hostname", hostname]);
  } finally {
    // A failure has made a container that is not ours to leave.
    await new Deno.Command("hostname", { args: [hostname] }).output();
  }
});
