/**
 * A machine with another CPU: Debian's kernel for arm64 in qemu-system-aarch64, which boots in four seconds and has cgroup
 * v2 alone.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Box } from "../support/fixture.ts";

/** In the order in which they are loaded. What the kernel has built in is no file. */
const MODULES = ["crc32c_generic", "libcrc32c", "loop", "overlay", "squashfs", "erofs"];

let parts: Promise<string> | undefined;

/** Once, for later runs: the folder with `vmlinuz`, `busybox` and `modules/`. */
function machineParts(): Promise<string> {
  return parts ??= download(`${Deno.env.get("HOME") ?? "/root"}/.cache/hako/aarch64`);
}

/** With lists of packages and a state of apt's own: the machine stays one for its own CPU. */
const DOWNLOAD = `
  rm -rf "$1.new" && mkdir -p "$1.new" && cd "$1.new" && mkdir -p lists/partial cache/archives/partial modules
  options="-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
    -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache -o Dir::State::status=/dev/null"
  apt-get $options update
  kernel=$(apt-cache $options depends linux-image-arm64 | sed -n 's/^ *Depends: *//p' | head -n 1)
  apt-get $options download "$kernel" busybox-static
  for package in *.deb; do dpkg-deb --extract "$package" root; done
  mv root/boot/vmlinuz-* vmlinuz
  find root -name busybox -path '*bin/busybox' -exec mv {} busybox \\;
  for module in ${MODULES.join(" ")}; do find root -name "$module.ko*" -exec mv {} modules \\;; done
  rm -rf root lists cache ./*.deb
  mv "$1.new" "$1"`;

/** Longer than those of other tests may take. @returns its stdout */
async function command(...words: readonly string[]): Promise<string> {
  const args = ["--kill-after=5", "180", ...words];
  const { success, stdout, stderr } = await new Deno.Command("timeout", { args, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, `${words[0]}: ${text(stdout)}${text(stderr)}`);
  return text(stdout);
}

async function download(folder: string): Promise<string> {
  try {
    Deno.statSync(folder);
  } catch {
    await command("sh", "-ec", DOWNLOAD, "sh", folder);
  }
  return folder;
}

/** A busybox of its CPU's. */
export async function guestBusybox(): Promise<string> {
  return `${await machineParts()}/busybox`;
}

/** How a command ended there. */
export interface GuestResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The first process. pivot_root(2) does not take the first file system, so all goes to another one. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for name in ${
  MODULES.join(" ")
}; do for file in /modules/$name.ko*; do [ ! -f $file ] || insmod $file; done; done
mount -t tmpfs tmpfs /new
for name in proc sys dev; do mkdir /new/$name; mount --move /$name /new/$name; done
cp -a /bin /box /main /new/
exec switch_root /new /main
`;

/** Everything that is left of a container afterwards, and the results: each line says of what it is. */
const main = (scripts: readonly string[], directory: string) =>
  `#!/bin/sh
mkdir -p ${directory} /root; mount --bind /box ${directory}
mount -t cgroup2 none /sys/fs/cgroup
echo 'user:x:12345:12345::/:/bin/sh' > /root/passwd; mkdir /etc; cp /root/passwd /etc/passwd
${
    scripts.map((script, index) =>
      `( ${script} ) > /root/out 2> /root/err < /dev/null; echo "result ${index} status $?"
sed 's/^/result ${index} stdout /' /root/out; sed 's/^/result ${index} stderr /' /root/err`
    ).join("\n")
  }
poweroff -f
`;

/**
 * Boots the machine with the box's directory in its place and a busybox for its CPU, and runs scripts of sh there, one
 * after the other. `/etc/passwd` has `user`, 12345.
 */
export async function runInGuest(box: Box, scripts: readonly string[]): Promise<GuestResult[]> {
  const folder = await machineParts();
  const root = `${box.directory}/guest`;
  for (const name of ["bin", "proc", "sys", "dev", "new", "box"]) {
    Deno.mkdirSync(`${root}/${name}`, { recursive: true });
  }
  for (const { name } of Deno.readDirSync(box.directory)) {
    if (name !== "guest") await command("cp", "-a", `${box.directory}/${name}`, `${root}/box/`);
  }
  await command("cp", "-a", `${folder}/modules`, root);
  Deno.copyFileSync(`${folder}/busybox`, `${root}/bin/busybox`);
  Deno.writeTextFileSync(`${root}/init`, INIT, { mode: 0o755 });
  Deno.writeTextFileSync(`${root}/main`, main(scripts, box.directory), { mode: 0o755 });
  const initrd = `${box.directory}/initrd`;
  await command("sh", "-ec", `cd ${root} && find . | busybox cpio -o -H newc > ${initrd} 2> /dev/null`);
  const console = await command(
    ...["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-m", "512", "-nic", "none", "-nographic"],
    ...["-no-reboot", "-kernel", `${folder}/vmlinuz`, "-initrd", initrd],
    ...["-append", "console=ttyAMA0 quiet panic=-1"],
  );
  const lines = console.replaceAll("\r", "").split("\n");
  return scripts.map((_, index) => {
    const of = (kind: string) => {
      const start = `result ${index} ${kind} `;
      return lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
    };
    const [status] = of("status");
    assert(status !== undefined, console);
    return { status: Number(status), stdout: of("stdout").join("\n"), stderr: of("stderr").join("\n") };
  });
}
