/**
 * image.sh, boot.sh and run where something is missing or goes wrong, with an apt and an mmdebstrap that make a Debian of two
 * programs. So no test needs a network, and a guest never gets further than its kernel.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { without } from "../install/clean_root.ts";

const HERE = import.meta.dirname!;

/** What stands for programs of this machine. $MACHINE: the directory of the test. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "apt-get": `case "$*" in
    indextargets*) echo "file:$MACHINE/mirror/" ;;
    *install*) echo "$*" >>"$MACHINE/installed" ;;
    *download*) cp "$MACHINE/user-mode-linux_1_amd64.deb" . ;;
    *) exit 1 ;;
  esac`,
  // ... SUITE ROOT MIRROR
  mmdebstrap: `
  while [ $# -gt 3 ]; do shift; done
  [ ! -e "$MACHINE/full" ] || exit 1
  mkdir -p "$2/root" "$2/bin" "$2/etc/systemd/system" "$2/lib/systemd/system-generators" "$2/usr/local/sbin"
  cp /bin/busybox "$2/bin/sh"
  echo '#!/bin/sh' >"$2/bin/useradd"
  chmod 755 "$2/bin/useradd"
  : >"$2/lib/systemd/system-generators/systemd-fstab-generator"`,
};
const KERNEL = "echo 'Kernel panic - not syncing'; exit 1";

/** A view of this machine where Debian's systemd-nspawn is not installed, whether it is or not. */
const WITHOUT_NSPAWN = `
  over=$MACHINE/over
  mount -t tmpfs tmpfs "$over"
  mkdir "$over/upper" "$over/work"
  mount -t overlay -o "lowerdir=/usr/bin,upperdir=$over/upper,workdir=$over/work" overlay /usr/bin
  rm -f /usr/bin/systemd-nspawn
  exec "$@"`;

class Machine implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "hako-guest-" });
  readonly cache = `${this.directory}/cache`;

  constructor() {
    for (const path of ["bin", "over", "mirror/dists/bookworm", "deb/DEBIAN", "deb/usr/bin"]) {
      Deno.mkdirSync(`${this.directory}/${path}`, { recursive: true });
    }
    this.write("mirror/dists/bookworm/InRelease", "");
    for (const [name, script] of Object.entries(PROGRAMS)) this.add(name, script);
    this.program("deb/usr/bin/linux.uml", KERNEL);
    this.write(
      "deb/DEBIAN/control",
      "Package: user-mode-linux\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@localhost>\nDescription: none\n",
    );
    assertEquals(this.run("dpkg-deb", "--build", `${this.directory}/deb`, this.directory).status, 0);
  }

  /** Puts a program before this machine's own. */
  add(name: string, script: string): void {
    this.program(`bin/${name}`, script);
  }

  program(path: string, script: string): void {
    this.write(path, `#!/bin/sh\n${script}\n`);
    Deno.chmodSync(`${this.directory}/${path}`, 0o755);
  }

  write(path: string, text: string): void {
    Deno.writeTextFileSync(`${this.directory}/${path}`, text);
  }

  run(...words: readonly string[]): { status: number; output: string } {
    const { code, stdout, stderr } = new Deno.Command("unshare", {
      args: ["--mount", "--propagation", "private", "sh", "-ec", WITHOUT_NSPAWN, "machine", ...words],
      env: {
        PATH: `${this.directory}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        MACHINE: this.directory,
        HAKO_GUEST: this.cache,
        DENO: Deno.execPath(),
        TMPDIR: this.directory,
      },
      stdin: "null",
    }).outputSync();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { status: code, output: text(stdout) + text(stderr) };
  }

  /** @returns the folder of the image */
  image(): string {
    const { status, output } = this.run(`${HERE}/image.sh`);
    assertEquals(status, 0, output);
    return output.trimEnd();
  }

  images(): string[] {
    return [...Deno.readDirSync(this.cache)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** The files of image/, from the root of a guest. */
function files(directory = `${HERE}/image`, path = ""): string[] {
  return [...Deno.readDirSync(directory + path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? files(directory, `${path}/${name}`) : [`${path}/${name}`]
  );
}

/** All that a guest needs beside Debian is in both forms of an image. */
function assertWhole(machine: Machine, image: string): void {
  assert(files().length > 0);
  for (const file of files()) {
    const source = `${HERE}/image${file}`;
    const text = Deno.readTextFileSync(source);
    assertEquals(Deno.readTextFileSync(`${image}/root${file}`), text);
    assertEquals(
      Deno.statSync(`${image}/root${file}`).mode! & 0o111,
      Deno.statSync(source).mode! & 0o111,
      file,
    );
    assertEquals(
      machine.run("sh", "-c", `debugfs -R 'cat "${file}"' "$0" 2>/dev/null`, `${image}/root.ext4`).output,
      text,
    );
  }
  assertEquals(Deno.statSync(`${image}/root/usr/local/sbin/guest-job`).mode! & 0o777, 0o755);
}

const missing = Deno.uid() === 0
  ? Deno.build.arch === "x86_64"
    ? without("busybox", "debugfs", "dpkg-deb", "findmnt", "mke2fs")
    : "not x86_64"
  : "needs root";

function machineTest(name: string, fn: (machine: Machine) => void): void {
  Deno.test({
    name: missing === undefined ? name : `${name} (skipped: ${missing})`,
    ignore: missing !== undefined,
    fn() {
      using machine = new Machine();
      fn(machine);
    },
  });
}

machineTest("an image is whole where its tools had to be installed first", (machine) => {
  assertWhole(machine, machine.image());
  assertStringIncludes(Deno.readTextFileSync(`${machine.directory}/installed`), "systemd-container");
});

machineTest("an image is made once", (machine) => {
  const image = machine.image();
  machine.write("full", "");
  assertEquals(machine.image(), image);
  assertEquals(machine.images(), [image.slice(machine.cache.length + 1)]);
});

for (
  const [part, damage] of Object.entries({
    "a file of its root": (image: string) => Deno.removeSync(`${image}/root/etc/systemd/system/guest.target`),
    "its file system": (image: string) => Deno.truncateSync(`${image}/root.ext4`),
    "its kernel": (image: string) => Deno.removeSync(`${image}/linux`),
  })
) {
  machineTest(`an image that has lost ${part} is made again`, (machine) => {
    const image = machine.image();
    damage(image);
    assertEquals(machine.image(), image);
    assertWhole(machine, image);
    assert(Deno.statSync(`${image}/linux`).isFile);
  });
}

machineTest(
  "an image whose making has failed is a failure and not there, and is made the next time",
  (machine) => {
    machine.write("full", "");
    const { status, output } = machine.run(`${HERE}/image.sh`);
    assertEquals({ status, images: machine.images() }, { status: 1, images: [] });
    assertStringIncludes(output, "mmdebstrap has failed");
    Deno.removeSync(`${machine.directory}/full`);
    assertWhole(machine, machine.image());
  },
);

machineTest("the image of another checkout stays for a day after its last use", (machine) => {
  const day = 24 * 60 * 60;
  for (const [name, days] of [["image.used", 0.9], ["image.unused", 1.1]] as const) {
    Deno.mkdirSync(`${machine.cache}/${name}/root`, { recursive: true });
    const then = Date.now() / 1000 - days * day;
    Deno.utimeSync(`${machine.cache}/${name}`, then, then);
  }
  const image = machine.image().slice(machine.cache.length + 1);
  assertEquals(machine.images().sort(), [image, "image.used"].sort());
});

machineTest("an image that is used stays", (machine) => {
  const image = machine.image();
  Deno.utimeSync(image, 0, 0);
  machine.image();
  assert(Deno.statSync(image).mtime!.getTime() > Date.now() - 60_000);
});

machineTest("a guest that does not boot is a failure, with the end of its console", (machine) => {
  const { status, output } = machine.run(`${HERE}/boot.sh`, "uml", "true");
  assertEquals(status, 1, output);
  assertMatch(output, /boot: the guest has not booted.*\n.*\nKernel panic/);
});

machineTest("a machine without cgroup v2, or whose mirror cannot be reached, lacks something", (machine) => {
  machine.add("findmnt", "exit 1");
  const noCgroup = machine.run(`${HERE}/boot.sh`, "nspawn", "true");
  assertEquals(noCgroup, { status: 125, output: "boot: no cgroup2 is mounted\n" });
  Deno.removeSync(machine.cache, { recursive: true });
  Deno.removeSync(`${machine.directory}/mirror`, { recursive: true });
  const { status, output } = machine.run(`${HERE}/boot.sh`, "uml", "true");
  assertEquals(status, 125, output);
  assertMatch(output, /^image: file:.* cannot be reached: see /);
});

machineTest(
  "the suite counts guests that do not boot as failed, and what the machine lacks as skipped",
  (machine) => {
    machine.add("findmnt", `case "$*" in *cgroup2*) exit 1 ;; esac; exec /usr/bin/findmnt "$@"`);
    const { status, output } = machine.run(`${HERE}/run`);
    assertEquals(status, 1, output);
    assertMatch(output, /\n0 passed, 2 failed, 1 skipped\n/);
  },
);
