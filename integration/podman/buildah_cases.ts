/** Buildah, with the runtime by its option. @module */
import { BOX, command, RUNTIME_PATH } from "../engines/machine.ts";
import { type Cases, expect } from "../engines/suite.ts";
import { asUser, IMAGE } from "./podman.ts";

const DOCKERFILE = `FROM ${IMAGE}
RUN echo built >/built && id -u >>/built
USER user
WORKDIR /tmp
RUN id -u >/tmp/user
`;

// It names no cgroup, so the runtime takes one below its own: here at the root, not where the tests run.
const root = command("unshare", "--cgroup", "buildah");
const isolation = ["--isolation", "oci", "--runtime", RUNTIME_PATH, "--network", "none"];

function buildCases(who: string, buildah: typeof root): Cases {
  return {
    [`buildah bud, ${who}`]: async () => {
      const directory = `${BOX}/build-${who.replaceAll(" ", "-")}`;
      Deno.mkdirSync(directory);
      Deno.writeTextFileSync(`${directory}/Dockerfile`, DOCKERFILE);
      expect(await buildah("bud", ...isolation, "--tag", "built", directory));
      const name = expect(await buildah("from", "localhost/built"));
      const script = ["sh", "-c", "cat /built /tmp/user; pwd"];
      expect(await buildah("run", ...isolation, name, "--", ...script), { stdout: "built\n0\n1000\n/tmp" });
      expect(await buildah("run", ...isolation, name, "--", "sh", "-c", "exit 7"), { status: 7 });
      expect(await buildah("rm", name));
    },
  };
}

export const buildahCases: Cases = {
  ...buildCases("as root", root),
  ...buildCases("rootless", (...words) => asUser("buildah", ...words)),
};
