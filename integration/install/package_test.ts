/** The Debian package, unpacked over this machine's own /usr in a mount namespace: nothing of it is installed here. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { makePackage } from "../../package.ts";

function run(program: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args, stdin: "null" }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, `${program} ${args.join(" ")}: ${text(stdout)}${text(stderr)}`);
  return text(stdout);
}

function missing(): string | undefined {
  if (Deno.uid() !== 0) return "needs root";
  const found = new Deno.Command("sh", { args: ["-c", "command -v dpkg-deb"], stdout: "null" }).outputSync();
  return found.success ? undefined : "no dpkg-deb";
}

Deno.test({
  name: `the Debian package installs a program that runs containers${
    missing() ? ` (skipped: ${missing()})` : ""
  }`,
  ignore: missing() !== undefined,
  fn() {
    const directory = Deno.makeTempDirSync({ prefix: "hako-package-" });
    try {
      const deb = makePackage(directory);
      assertEquals(run("dpkg-deb", "--field", deb, "Package").trim(), "hako");
      run("dpkg-deb", "--raw-extract", deb, `${directory}/root`);
      for (const name of ["upper", "work"]) Deno.mkdirSync(`${directory}/${name}`);
      // Nobody else sees this /usr, and what is written to it goes with us.
      const script = `set -e
        mount -t tmpfs tmpfs "$1/work" && mkdir "$1/work/upper" "$1/work/work"
        mount -t overlay overlay -o "lowerdir=$1/root/usr:/usr,upperdir=$1/work/upper,workdir=$1/work/work" /usr
        sh "$1/root/DEBIAN/postinst" configure
        cd /
        env -i /usr/bin/hako --version
        env -i /usr/bin/hako-bpf help
        env -i /usr/bin/hako spec --host --bundle "$1/work/bundle"
        sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"true"/' "$1/work/bundle/config.json"
        env -i PATH=/usr/bin:/bin /usr/bin/hako --root "$1/work/state" run --bundle "$1/work/bundle" package-test
        bash -n /usr/share/bash-completion/completions/hako
        test -s /usr/share/zsh/vendor-completions/_hako
        test -s /usr/share/fish/vendor_completions.d/hako.fish
        test -s /usr/share/doc/hako/README.md
        test -s /usr/share/doc/hako/examples/docker-daemon.json
        cat /usr/share/man/man1/hako.1
        sh "$1/root/DEBIAN/prerm" remove
        test ! -e /usr/lib/hako/cache`;
      const output = run(
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        script,
        "sh",
        directory,
      );
      assertMatch(output, /^hako version \S+\n/);
      // Every option of every command is in the manual.
      for (
        const words of [
          '\\.SS "hako run ',
          "keep\\\\-args",
          "preserve\\\\-fds",
          "cgroup\\\\-manager",
          "no\\\\-pivot",
        ]
      ) {
        assertMatch(output, new RegExp(words));
      }
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
