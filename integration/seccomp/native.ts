/**
 * The test programs in C of this folder, built when a test asks for them.
 *
 * @module
 */

const HERE = new URL("./", import.meta.url);

/** Builds NAME.c. Undefined where gcc or what it needs is missing. */
export function build(name: string, ...libraries: readonly string[]): string | undefined {
  const binary = Deno.makeTempFileSync({ prefix: `hako-${name}-` });
  try {
    const { success } = new Deno.Command("gcc", {
      args: ["-O1", "-Wall", "-o", binary, new URL(`${name}.c`, HERE).pathname, ...libraries],
      stderr: "null",
    }).outputSync();
    if (success) {
      globalThis.addEventListener("unload", () => Deno.removeSync(binary));
      return binary;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.removeSync(binary);
}

/** Defines a test that needs the program `binary` of {@linkcode build}. */
export function tested(name: string, binary: string | undefined, fn: () => Promise<void>): void {
  const ignore = binary === undefined;
  const reason =
    " (skipped: its program in C cannot be built: gcc, linux-libc-dev and libseccomp-dev, on x86_64)";
  Deno.test({ name: ignore ? name + reason : name, ignore, fn });
}

export interface Output {
  readonly code: number;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: string;
}

export async function run(command: string, args: readonly string[], input: string): Promise<Output> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A program that has seen enough closes its input.
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: stdout as Uint8Array<ArrayBuffer>, stderr: new TextDecoder().decode(stderr) };
}
