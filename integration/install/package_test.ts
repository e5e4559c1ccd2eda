/** The Debian package, installed and removed on a fresh Debian that has nothing else: mmdebstrap makes it, in a quarter of a minute. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { makePackage } from "../../package.ts";
import { command, installTest, without } from "./clean_root.ts";

/** Once, for later runs: an archive of Debian's essential packages. @returns its path */
function debian(): string {
  const cache = `${Deno.env.get("HOME") ?? "/root"}/.cache/hako`;
  const archive = `${cache}/debian-bookworm-minbase.tar`;
  try {
    Deno.statSync(archive);
  } catch {
    Deno.mkdirSync(cache, { recursive: true });
    command(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", `${archive}.new.tar`]);
    Deno.renameSync(`${archive}.new.tar`, archive);
  }
  return archive;
}

/** $1: a directory, with Debian in root/ and the package in root/hako.deb. Its mounts end with the script. */
const OUTSIDE = `
  cd "$1"
  # In a chroot that is no mount point no runtime can make its mounts private.
  mount --bind root root
  mount --rbind /dev root/dev
  mount -t proc proc root/proc
  mount --rbind /sys root/sys
  mount -t tmpfs tmpfs root/run
  exec chroot root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -ec "$2"`;

const INSIDE = `
  dpkg --install /hako.deb > /dev/null
  cd /
  # What an upgrade begins with, and removes nothing that containers need meanwhile.
  /var/lib/dpkg/info/hako.prerm upgrade 9.9.9
  env -i /usr/bin/hako --version
  env -i /usr/bin/hako-bpf help | head -n 1
  hako spec --host --bundle /tmp/bundle
  sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"id"/' /tmp/bundle/config.json
  hako run --bundle /tmp/bundle package-test
  hako compile --bundle /tmp/bundle --output /tmp/compiled
  /tmp/compiled
  bash -n /usr/share/bash-completion/completions/hako
  for file in zsh/vendor-completions/_hako fish/vendor_completions.d/hako.fish; do test -s /usr/share/$file; done
  cp /usr/share/man/man1/hako.1 /hako.1
  ls /usr/share/doc/hako /usr/share/doc/hako/examples
  cat /usr/share/doc/hako/examples/podman-containers.conf
  dpkg --purge hako > /dev/null
  test ! -e /usr/lib/hako
  test ! -e /usr/bin/hako
  dpkg --audit`;

installTest(
  "the Debian package runs containers on a fresh Debian, and goes without a trace",
  Deno.uid() === 0 ? without("dpkg-deb", "mmdebstrap") : "needs root",
  (directory) => {
    const root = `${directory}/root`;
    Deno.mkdirSync(root);
    command(["tar", "-C", root, "--numeric-owner", "-xf", debian()]);
    const deb = makePackage(directory);
    assertEquals(command(["dpkg-deb", "--field", deb, "Package"]), "hako\n");
    Deno.renameSync(deb, `${root}/hako.deb`);
    const words = ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-ec"];
    const output = command([...words, OUTSIDE, "sh", directory, INSIDE]);
    const [version, ...lines] = output.split("\n");
    assertMatch(version!, /^hako version \S+$/);
    assertEquals(lines.filter((line) => line.startsWith("uid=0(root) gid=0(root)")).length, 2, output);
    for (
      const name of [
        "copyright",
        "README.md",
        "docs",
        "docker-daemon.json",
        "containerd-config.toml",
        "podman-containers.conf",
      ]
    ) {
      assert(lines.includes(name), `no ${name} in ${output}`);
    }
    // As docs/podman.md has it, so that Podman knows Hako's abilities.
    const podman = Deno.readTextFileSync(new URL("../../docs/podman.md", import.meta.url)).split("\n");
    for (const ability of podman.filter((line) => line.startsWith("runtime_supports_"))) {
      assert(lines.includes(ability), `no ${ability} in ${output}`);
    }
    // Every option of every command is in the manual.
    const manual = Deno.readTextFileSync(`${root}/hako.1`);
    for (const words of ["hako run ", "keep\\-args", "preserve\\-fds", "cgroup\\-manager", "no\\-pivot"]) {
      assert(manual.includes(words), words);
    }
  },
);
