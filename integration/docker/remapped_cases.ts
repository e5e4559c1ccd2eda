/** Docker with `--userns-remap`: every container is in a user namespace. @module */
import { type Cases, expect } from "../engines/suite.ts";
import { dockerRemapped, IMAGE, newName, runContainer } from "./docker.ts";

export const remappedCases: Cases = {
  "userns-remap: root is an ordinary user outside": async () => {
    await runContainer({
      options: ["--network", "none", "--memory", "64m", "--tmpfs", "/t"],
      script:
        "id -u; cat /proc/self/uid_map | tr -s ' '; touch /x /t/x && stat -c %u /x /dev/null; echo x >/dev/null",
      stdout: /^0\n 0 \d{5,} 65536\n0\n65534$/,
    }, dockerRemapped);
  },
  "userns-remap: users, devices that are bound, exec": async () => {
    const name = newName();
    expect(
      await dockerRemapped(...["run", "-d", "--name", name, "--network", "none", IMAGE], "sleep", "1000"),
    );
    try {
      expect(
        await dockerRemapped("exec", "-u", "user", name, "sh", "-c", "id -u; head -c 2 /dev/zero | wc -c"),
        {
          stdout: "1000\n2",
        },
      );
    } finally {
      expect(await dockerRemapped("rm", "-f", name));
    }
  },
  "userns-remap: off for one container": async () => {
    await runContainer({
      options: ["--network", "none", "--userns", "host"],
      script: "tr -s ' ' </proc/self/uid_map",
      stdout: "0 0 4294967295",
    }, dockerRemapped);
  },
};
