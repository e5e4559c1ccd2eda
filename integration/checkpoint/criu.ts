/** A criu that is fit for this kernel: ours or Debian's newer one, fetched once. @module */

const { code, stdout, stderr } = Deno.uid() === 0
  ? new Deno.Command(`${import.meta.dirname}/criu.sh`, { stdout: "piped", stderr: "piped" }).outputSync()
  : { code: 125, stdout: new Uint8Array(), stderr: new TextEncoder().encode("criu: needs root") };
const [path, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()) as [
  string,
  string,
];

/** Why there is none. */
export const NO_CRIU: string | undefined = code === 0 ? undefined : problem;

/** A PATH that has it. */
export const ENVIRONMENT = { PATH: `${path.slice(0, path.lastIndexOf("/"))}:${Deno.env.get("PATH")}` };

/** Whether it can do on this kernel what `criu check --feature` calls `feature`. */
export function hasFeature(feature: string): boolean {
  return new Deno.Command(path, { args: ["check", "--feature", feature], stdout: "null", stderr: "null" })
    .outputSync().success;
}
