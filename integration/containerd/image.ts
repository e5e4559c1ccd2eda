/** The image as an archive that `ctr image import` reads. @module */
import { BOX, imageArchive } from "../engines/machine.ts";
import { run } from "../support/hako.ts";

export const IMAGE = "docker.io/library/busybox:latest";

/**
 * Makes an archive like those of `docker save`, of one layer. @returns its path.
 *
 * @see moby image/spec/spec.md, Combined Image JSON + Filesystem Changeset Format
 */
export async function savedImage(): Promise<string> {
  const layer = await imageArchive();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Deno.readFileSync(layer))).toHex();
  const image = {
    architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
    os: "linux",
    config: { Cmd: ["sleep", "1000"], Env: ["PATH=/usr/bin:/bin", "FROM=image"], WorkingDir: "/root" },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  };
  const manifest = [{ Config: "config.json", RepoTags: [IMAGE], Layers: ["image.tar"] }];
  Deno.writeTextFileSync(`${BOX}/config.json`, JSON.stringify(image));
  Deno.writeTextFileSync(`${BOX}/manifest.json`, JSON.stringify(manifest));
  const archive = `${BOX}/saved.tar`;
  const words = ["tar", "-C", BOX, "-cf", archive, "manifest.json", "config.json", "image.tar"];
  const { status, stderr } = await run(words);
  if (status !== 0) throw new Error(stderr);
  return archive;
}
