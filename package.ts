/**
 * `deno task package [DIR]` makes a Debian package of Hako in `dist/`, or in DIR: /usr/bin/hako and /usr/bin/hako-bpf, the
 * manual page, completions, these docs, and what engines have to be told.
 *
 * @see https://www.debian.org/doc/debian-policy/
 * @module
 */
import { parseArgs } from "node:util";
import { build } from "./build.ts";
import { VERSION } from "./runtime/cli/version.ts";

/** Where the program lies, which has to know. */
const HOME = "/usr/lib/hako";

const ENGINES: Readonly<Record<string, string>> = {
  "docker-daemon.json": `{\n  "runtimes": { "hako": { "path": "/usr/bin/hako" } }\n}\n`,
  // With one runtime named, containerd 1 has no other, and its CRI plugin does not start without its default one.
  "containerd-config.toml": [
    `version = 2`,
    `[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]`,
    `  runtime_type = "io.containerd.runc.v2"`,
    `[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.hako]`,
    `  runtime_type = "io.containerd.runc.v2"`,
    `  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.hako.options]`,
    `    BinaryName = "/usr/bin/hako"\n`,
  ].join("\n"),
  // Podman knows what a runtime can do by the name of its program, and these are lists of all that can.
  "podman-containers.conf": [
    `[engine]`,
    `runtime_supports_json = ["crun", "runc", "hako"]`,
    `runtime_supports_nocgroup = ["crun", "hako"]`,
    `[engine.runtimes]`,
    `hako = ["/usr/bin/hako"]\n`,
  ].join("\n"),
};

/** Makes the package in the folder `directory`. @returns its path */
export function makePackage(directory: string): string {
  Deno.mkdirSync(directory, { recursive: true });
  const root = Deno.makeTempDirSync({ dir: directory, prefix: "package-" });
  try {
    const put = (path: string, text: string, mode = 0o644) => {
      Deno.mkdirSync(`${root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      Deno.writeTextFileSync(`${root}${path}`, text);
      Deno.chmodSync(`${root}${path}`, mode);
    };
    Deno.chmodSync(root, 0o755);
    build(`${root}${HOME}`, { home: HOME });
    const share = `${root}${HOME}/share`;
    const read = (name: string) => Deno.readTextFileSync(`${share}/${name}`);
    put("/usr/share/man/man1/hako.1", read("hako.1"));
    put("/usr/share/bash-completion/completions/hako", read("hako.bash"));
    put("/usr/share/zsh/vendor-completions/_hako", read("hako.zsh"));
    put("/usr/share/fish/vendor_completions.d/hako.fish", read("hako.fish"));
    Deno.removeSync(share, { recursive: true });
    Deno.mkdirSync(`${root}/usr/bin`);
    Deno.symlinkSync("../lib/hako/hako", `${root}/usr/bin/hako`);
    put("/usr/bin/hako-bpf", `#!/bin/sh\nexec ${HOME}/hako bpf "$@"\n`, 0o755);
    const source = (path: string) => Deno.readTextFileSync(`${import.meta.dirname}/${path}`);
    const docs = [...Deno.readDirSync(`${import.meta.dirname}/docs`)].map(({ name }) => `docs/${name}`);
    for (const path of ["README.md", ...docs]) put(`/usr/share/doc/hako/${path}`, source(path));
    put("/usr/share/doc/hako/copyright", source("LICENSE"));
    for (const [name, text] of Object.entries(ENGINES)) put(`/usr/share/doc/hako/examples/${name}`, text);

    const architecture = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
    put("/DEBIAN/control", control(architecture));
    put("/DEBIAN/postinst", `#!/bin/sh\nset -e\n[ "$1" != configure ] || ${HOME}/warm-up\n`, 0o755);
    // During an upgrade engines have the old program until the new one is there.
    put(
      "/DEBIAN/prerm",
      `#!/bin/sh\nset -e\n[ "$1" != remove ] || rm -rf ${HOME}/cache ${HOME}/hako\n`,
      0o755,
    );
    const output = `${directory}/hako_${VERSION}_${architecture}.deb`;
    const args = ["--root-owner-group", "-Zgzip", "-z1", "--build", root, output];
    const { success, stderr } = new Deno.Command("dpkg-deb", { args, stdout: "null" }).outputSync();
    if (!success) throw new Error(`dpkg-deb: ${new TextDecoder().decode(stderr)}`);
    return output;
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function control(architecture: string): string {
  return `Package: hako
Version: ${VERSION}
Architecture: ${architecture}
Maintainer: Hako contributors <hako@localhost>
Depends: libc6 (>= 2.27), libgcc-s1
Section: admin
Priority: optional
Description: OCI container runtime that compiles containers
 Hako runs OCI containers with runc's command line. A container is compiled to a
 list of system calls, which can be read, and then executed.
`;
}

if (import.meta.main) {
  const { positionals: [directory = `${import.meta.dirname}/dist`] } = parseArgs({ allowPositionals: true });
  console.log(makePackage(directory));
}
