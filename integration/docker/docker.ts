/** A Docker daemon of our own, whose default runtime is the one under test. @module */
import {
  BOX,
  type Command,
  command,
  ENVIRONMENT,
  ID,
  imageArchive,
  RUNTIME_PATH,
  startDaemon,
} from "../engines/machine.ts";
import { exists } from "../support/files.ts";
import { type Check, expect, type Expected } from "../engines/suite.ts";

export const SOCKET: string = `unix://${BOX}/docker.sock`;

/** Runs `docker` with these words. */
export const docker: Command = command("docker", "--host", SOCKET);

/** The major version of Docker. */
export const VERSION = Number(/\d+/.exec((await docker("--version")).stdout)![0]);

/** Of another daemon, with a user namespace for each container. */
export const dockerRemapped: Command = command("docker", "--host", `unix://${BOX}/remapped.sock`);

/** The image, of busybox and a few files. */
export const IMAGE = "busybox";

/** Starts the daemon `name`, and gives it the image. */
export async function startDocker(
  name: "docker" | "remapped",
  client: Command,
  options: readonly string[],
): Promise<void> {
  await startDaemon(
    [
      "dockerd",
      ...["--host", `unix://${BOX}/${name}.sock`, "--pidfile", `${BOX}/${name}.pid`],
      ...["--data-root", `${BOX}/${name}/data`, "--exec-root", `${BOX}/${name}/run`],
      ...[
        "--cgroup-parent",
        `/${ID}`,
        "--default-runtime",
        "tested",
        "--add-runtime",
        `tested=${RUNTIME_PATH}`,
      ],
      ...options,
    ],
    () => client("version"),
    { PATH: `${runcFolder()}:${ENVIRONMENT.PATH}` },
  );
  expect(await client("import", await imageArchive(), IMAGE));
}

/** A folder where `runc` is the runtime under test: BuildKit takes it from PATH, whatever the default runtime is. */
function runcFolder(): string {
  const folder = `${BOX}/path`;
  if (!exists(folder)) {
    Deno.mkdirSync(folder);
    Deno.symlinkSync(RUNTIME_PATH, `${folder}/runc`);
  }
  return folder;
}

let count = 0;

/** A name that no other container has. */
export function newName(): string {
  return `c${count++}`;
}

/** A container to run to its end. */
export interface RunCase extends Expected {
  /** Of `docker run`, beside `--rm`. */
  readonly options?: readonly string[];
  /** The program: a script for sh, or words. */
  readonly script?: string;
  readonly words?: readonly string[];
}

/** Runs such a container. */
export async function runContainer(one: RunCase, client: Command = docker): Promise<string> {
  const { options = [], script, words = script === undefined ? [] : ["sh", "-c", script] } = one;
  return expect(await client("run", "--rm", ...options, IMAGE, ...words), one);
}

/** A check for each. */
export function runCases(cases: Readonly<Record<string, RunCase>>): Record<string, Check> {
  return Object.fromEntries(
    Object.entries(cases).map(([name, one]) => [name, async () => void await runContainer(one)]),
  );
}

/** Starts a container that goes on, does something with it, and removes it. */
export async function withContainer(
  { options = [], script = "exec sleep 1000" }: RunCase,
  use: (name: string) => Promise<void>,
): Promise<void> {
  const name = newName();
  try {
    expect(await docker("run", "--detach", "--name", name, ...options, IMAGE, "sh", "-c", script));
    await use(name);
  } finally {
    await docker("rm", "--force", "--volumes", name);
  }
}

/** A member of what `docker inspect` says. */
export async function inspect(name: string, format: string): Promise<string> {
  return expect(await docker("inspect", "--format", `{{${format}}}`, name));
}
