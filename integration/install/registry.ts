/**
 * A registry of npm packages on this machine, with ours and, in the place of Deno's, one that has the Deno which runs this:
 * nothing else is to be had from it, so nothing else is needed.
 *
 * @module
 */
import { makeNpmPackages } from "../../npm.ts";
import { command } from "./clean_root.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** Packs everything into `directory` and serves it. @returns the registry's URL, and how to end it */
export async function serveRegistry(
  directory: string,
): Promise<{ readonly url: string; end(): Promise<void> }> {
  makeNpmPackages(directory);
  const archives = new Map<string, Uint8Array<ArrayBuffer>>();
  const packages = new Map<string, unknown>();
  const address = { hostname: "127.0.0.1", port: 0 };
  const server = Deno.serve({ ...address, onListen() {} }, ({ url }) => {
    const path = decodeURIComponent(new URL(url).pathname).slice(1);
    const archive = archives.get(path);
    if (archive !== undefined) return new Response(archive);
    return packages.has(path) ? Response.json(packages.get(path)) : new Response(null, { status: 404 });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;

  for (const cpu of ["x64", "arm64"] as const) makeDeno(`${directory}/deno-${cpu}`, cpu);
  for (const folder of ["hako", "bpf-compiler", "deno-x64", "deno-arm64"]) {
    const manifest: Manifest = JSON.parse(Deno.readTextFileSync(`${directory}/${folder}/package.json`));
    const file = `${folder}.tgz`;
    pack(directory, folder, file);
    const bytes = Deno.readFileSync(`${directory}/${file}`);
    archives.set(file, bytes);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes));
    const dist = { tarball: `${url}/${file}`, integrity: `sha512-${digest.toBase64()}` };
    packages.set(manifest.name, {
      name: manifest.name,
      "dist-tags": { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, dist } },
    });
  }
  return { url, end: () => server.shutdown() };
}

/** As Deno's own: the executable alone. Nobody asks for that of another CPU. */
function makeDeno(folder: string, cpu: "x64" | "arm64"): void {
  Deno.mkdirSync(folder);
  const name = `@deno/linux-${cpu}-glibc`;
  const manifest = { name, version: Deno.version.deno, os: ["linux"], cpu: [cpu] };
  Deno.writeTextFileSync(`${folder}/package.json`, JSON.stringify(manifest));
  const own = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  if (cpu === own) Deno.copyFileSync(Deno.execPath(), `${folder}/deno`);
}

function pack(directory: string, folder: string, file: string): void {
  if (folder.startsWith("deno-")) {
    // npm would take a quarter of a minute to make it small.
    command([
      "tar",
      "-C",
      directory,
      "-I",
      "gzip -1",
      `--transform=s/^${folder}/package/`,
      "-cf",
      `${directory}/${file}`,
      folder,
    ]);
    return;
  }
  const name = command(["npm", "pack", "--silent", `./${folder}`], { cwd: directory }).trim();
  Deno.renameSync(`${directory}/${name}`, `${directory}/${file}`);
}
