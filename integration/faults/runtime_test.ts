/**
 * What the runtime itself cannot do, at each point where it works on a container: one line that names the member of
 * config.json, and nothing is left behind.
 *
 * @module
 */
import { assertThrows } from "@std/assert";
import { gatherHost } from "../../runtime/host/gather.ts";
import { SyscallError } from "../../runtime/errors.ts";
import { type Case, containerCases, containerTest } from "../support/fixture.ts";
import { interceptCalls } from "./calls.ts";

const SELF = [{ containerID: 0, hostID: 0, size: 1 }];

/** One more than the kernel takes: UID_GID_MAP_MAX_EXTENTS. */
const MANY = Array.from({ length: 341 }, (_, id) => ({ containerID: 2 * id, hostID: 2 * id, size: 1 }));

function fails(stderr: RegExp, options: Omit<Case, "stderr" | "status">): Case {
  return { args: ["/bin/true"], ...options, stderr, status: 1 };
}

const TMPCOPYUP = { destination: "/big", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=64k"] };

containerCases({
  "no such executable": fails(
    /^hako: exec: "nothing": executable file not found in \$PATH \(ENOENT\), asked for by config.json \/process\/args\/0$/m,
    { args: ["nothing"] },
  ),
  "a directory as executable": fails(
    /^hako: exec: "\/bin": is a directory: permission denied .*\/process\/args\/0$/m,
    {
      args: ["/bin"],
    },
  ),
  "an executable that the kernel refuses": fails(/exec.*: exec format error \(ENOEXEC\).*\/process\/args$/m, {
    args: ["/bin/empty"],
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/bin/empty`, "", { mode: 0o755 }),
  }),
  "a script without its interpreter": fails(
    /exec.*: no such file or directory \(ENOENT\).*\/process\/args$/m,
    {
      args: ["/bin/script"],
      image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/bin/script`, "#!/nothing\n", { mode: 0o755 }),
    },
  ),
  "a HOME that is too long": fails(/^hako: pass HOME to the container: .*argument list too long \(E2BIG\)/, {
    image: (rootfs) =>
      Deno.writeTextFileSync(`${rootfs}/etc/passwd`, `root:x:0:0::/${"x".repeat(5000)}:/bin/sh\n`),
  }),
  "ids that cannot be mapped": fails(
    /invalid argument \(EINVAL\), asked for by config.json \/linux\/uidMappings$/m,
    {
      config: {
        linux: {
          namespaces: [{ type: "user" }, { type: "mount" }, { type: "pid" }, { type: "uts" }],
          uidMappings: MANY,
          gidMappings: SELF,
        },
      },
    },
  ),
  "a clock set to before the boot": fails(
    /numerical result out of range \(ERANGE\).*\/linux\/timeOffsets$/m,
    {
      config: {
        linux: {
          namespaces: [{ type: "time" }, { type: "mount" }, { type: "pid" }, { type: "uts" }],
          timeOffsets: { boottime: { secs: -1_000_000_000 } },
        },
      },
    },
  ),
  "an idmapped mount of a filesystem that cannot be mapped": fails(/\(EINVAL\).*\/mounts\/\d+$/m, {
    mounts: [{
      destination: "/mnt",
      type: "bind",
      source: "/proc",
      options: ["bind"],
      uidMappings: SELF,
      gidMappings: SELF,
    }],
  }),
  "ids of a mount that cannot be mapped": fails(
    /\(EINVAL\), asked for by config.json \/mounts\/\d+\/uidMappings$/m,
    {
      mounts: [{
        destination: "/mnt",
        type: "bind",
        source: "/tmp",
        options: ["bind"],
        uidMappings: MANY,
        gidMappings: SELF,
      }],
    },
  ),
  "a tmpfs too small for what it is to hold": fails(/no space left on device \(ENOSPC\).*\/mounts\/\d+$/m, {
    mounts: [TMPCOPYUP],
    image: (rootfs) => {
      Deno.mkdirSync(`${rootfs}/big`);
      Deno.writeFileSync(`${rootfs}/big/file`, new Uint8Array(1 << 20));
    },
  }),
  "another file in the place of a device": fails(
    /^hako: config.json runtime: there is another file at "\/dev\/zero"/,
    {
      config: { mounts: [{ destination: "/proc", type: "proc", source: "proc" }] },
      image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/dev/zero`, ""),
    },
  ),
  "a hook that does not exist": fails(
    /\/nonexistent.*no such file or directory.*\/hooks\/createRuntime\/0$/m,
    {
      config: { hooks: { createRuntime: [{ path: "/nonexistent" }] } },
    },
  ),
  "a hook that fails": fails(/createRuntime hook #1 .*exit status 1.*\/hooks\/createRuntime\/1$/m, {
    config: { hooks: { createRuntime: [{ path: "/bin/true" }, { path: "/bin/false" }] } },
  }),
  "a hook that hangs": fails(/createRuntime hook #0 .*timed out.*\/hooks\/createRuntime\/0$/m, {
    config: { hooks: { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "60"], timeout: 1 }] } },
  }),
  "no room for the pid file": fails(/^hako: .*\/nonexistent/, {
    options: ["--pid-file", "/nonexistent/pid"],
  }),
  "nobody at the pidfd socket": fails(
    /^hako: connect \/nonexistent: no such file or directory \(ENOENT\)$/m,
    {
      options: ["--pidfd-socket", "/nonexistent"],
    },
  ),
});

containerTest(
  "a stream that cannot be looked at is not given to the user: it may be the host's /dev/null",
  (box) => {
    const { path, config } = box.bundle({ config: { process: { user: { uid: 1000, gid: 1000 } } } });
    const options = { id: box.id, bundle: path };
    const mend = interceptCalls(({ name }) => /^statx$|^Deno\.statSync$/.test(name) ? "EIO" : undefined);
    try {
      assertThrows(() => gatherHost(config, options), SyscallError, "statx: input/output error");
    } finally {
      mend();
    }
  },
);

containerTest("a source that cannot be looked at is an error of its mount", (box) => {
  const { path, config } = box.bundle({
    mounts: [{ destination: "/a", type: "bind", source: "/srv", options: ["bind"] }],
  });
  const options = { id: box.id, bundle: path };
  const mend = interceptCalls(({ name }) => name === "Deno.statSync" ? "EIO" : undefined);
  try {
    assertThrows(
      () => gatherHost(config, options),
      SyscallError,
      `stat /srv: input/output error (EIO), asked for by config.json /mounts/${config.mounts!.length - 1}`,
    );
  } finally {
    mend();
  }
});
