/**
 * The suite's programs: had through the Go module proxy, or from a checkout, and built once.
 *
 * @module
 */

const MODULE = "github.com/opencontainers/runtime-tools";

/** Of May 2025. The one release, 0.9.0 of 2019, is not a module. */
const VERSION = "v0.9.1-0.20250523060157-0ea5ed0382a2";

/** What runs inside the containers, beside the programs that run them. */
const INSIDE = "runtimetest";

/** The programs, in a directory with all that they need. They have to be run there. */
export interface Suite {
  readonly directory: string;
  readonly programs: readonly string[];
}

/** Why the suite cannot be had here. */
export class Unavailable extends Error {}

/**
 * Builds the suite: from the checkout that RUNTIME_TOOLS_DIR names, or else from the Go module proxy into the user's
 * cache.
 *
 * @throws {Unavailable}
 */
export async function prepareSuite(): Promise<Suite> {
  const cache = `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache`}/hako`;
  const checkout = Deno.env.get("RUNTIME_TOOLS_DIR");
  const directory = `${cache}/runtime-tools-${checkout === undefined ? VERSION : "checkout"}`;
  if (checkout !== undefined || !isDirectory(directory)) {
    const go = await findGo();
    Deno.mkdirSync(cache, { recursive: true });
    const made = Deno.makeTempDirSync({ dir: cache });
    try {
      await build(go, made, checkout);
      if (isDirectory(directory)) Deno.removeSync(directory, { recursive: true });
      Deno.renameSync(made, directory);
    } finally {
      if (isDirectory(made)) Deno.removeSync(made, { recursive: true });
    }
  }
  const programs = [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => name !== INSIDE && !name.includes("."));
  return { directory, programs: programs.sort() };
}

async function build(go: string, to: string, checkout?: string): Promise<void> {
  const packages = [`${MODULE}/cmd/${INSIDE}`, `${MODULE}/validation/...`];
  const command = ["build", "-trimpath", "-ldflags=-s -w", "-o", `${to}/`, ...packages];
  if (checkout !== undefined) {
    await output(go, command, checkout);
    return copyImages(checkout, to);
  }
  // A module that requires nothing else: the go command finds the rest, and verifies all of it.
  const module = `${to}/module`;
  Deno.mkdirSync(module);
  Deno.writeTextFileSync(`${module}/go.mod`, `module suite\n\ngo 1.21\n\nrequire ${MODULE} ${VERSION}\n`);
  await output(go, ["mod", "download", MODULE], module);
  await output(go, command, module);
  copyImages(await output(go, ["list", "-m", "-f", "{{.Dir}}", MODULE], module), to);
  Deno.removeSync(module, { recursive: true });
}

/** The programs look for the containers' files in their working directory. */
function copyImages(from: string, to: string): void {
  for (const { name } of Deno.readDirSync(from)) {
    if (/^rootfs-.*\.tar\.gz$/.test(name)) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

async function findGo(): Promise<string> {
  const found: string[] = [];
  for (const go of ["go", "/usr/local/go/bin/go"]) {
    try {
      const version = await output(go, ["env", "GOVERSION"], "/");
      const [, major, minor] = version.match(/^go(\d+)\.(\d+)/) ?? [];
      if (Number(major) > 1 || Number(minor) >= 21) return go;
      found.push(version);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Unavailable(
    `needs Go 1.21 or later, there is ${found[0] ?? "none"}: Debian 13's golang-go, or one in /usr/local/go`,
  );
}

async function output(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const env = { CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "-mod=mod -buildvcs=false" };
  const command = new Deno.Command(program, { args: [...args], cwd, env, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  if (!success) throw new Unavailable(`${program} ${args.join(" ")}: ${errors}`);
  return out!;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
