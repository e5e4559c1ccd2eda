/** A container whose pid is another process's by the time that `exec` joins it. @module */
import { assertEquals, assertThrows } from "@std/assert";
import { Container } from "../../runtime/container/container.ts";
import { createContainer } from "../../runtime/container/create.ts";
import { ExecutedProcess } from "../../runtime/container/exec.ts";
import { SyscallError } from "../../runtime/errors.ts";
import { wait } from "../../runtime/linux/processes.ts";
import { validateProcess } from "../../runtime/spec/parse.ts";
import { interceptPlans } from "../faults/survey.ts";
import { containerTest } from "../support/fixture.ts";

containerTest(
  "without namespaces exec does not take another process's root for the container's",
  async (box) => {
    const { path, config } = box.bundle({
      args: ["sleep", "600"],
      config: {
        hostname: null,
        mounts: null,
        linux: { namespaces: [], maskedPaths: null, readonlyPaths: null },
      },
    });
    const created = await createContainer(config, { id: box.id, bundle: path, root: box.state });
    created.start();
    // From here on it is as one that another command has made.
    created.close();
    const container = Container.load(box.state, box.id);
    let replaced = 0;
    // The last moment: who joins holds a pidfd of the container's, and its plan is made.
    const undo = interceptPlans((plan) => {
      Deno.kill(container.pid, "SIGKILL");
      wait(container.pid);
      // As if the pid had become ours: our root is the host's.
      return plan.map((node) => {
        if (node.kind !== "step" || node.args[1] !== `${container.pid}/root`) return node;
        replaced++;
        return { ...node, args: node.args.with(1, `${Deno.pid}/root`) };
      });
    });
    const process = validateProcess({ ...config.process, args: ["/bin/true"] });
    try {
      const error = assertThrows(() => ExecutedProcess.create(container, process), SyscallError);
      assertEquals([replaced, error.call, error.errno.name], [1, "pidfd_send_signal", "ESRCH"]);
    } finally {
      undo();
      Container.delete(box.state, box.id, true);
    }
  },
);
