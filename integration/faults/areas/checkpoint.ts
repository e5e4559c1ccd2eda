/** Saving the processes of a container, and making a container of them, with a real CRIU. @module */
import { relative } from "node:path";
import { Container } from "../../../runtime/container/container.ts";
import { createContainer } from "../../../runtime/container/create.ts";
import { openat2 } from "../../../runtime/linux/files.ts";
import { AT_FDCWD, O_CLOEXEC, O_RDWR } from "../../../runtime/linux/generated/constants.ts";
import { readStat } from "../../../runtime/linux/processes.ts";
import type { Config, NamespaceType } from "../../../runtime/spec/config.ts";
import { stringify } from "../../../runtime/spec/json.ts";
import { NO_CRIU } from "../../checkpoint/criu.ts";
import { exists } from "../../support/files.ts";
import type { GoldenBundle } from "../golden.ts";
import { Holder } from "../holder.ts";
import { children, closeLinksTo, closeOthers, descriptors } from "../leftovers.ts";
import { Receivers } from "../rarely_used.ts";
import { deleteByForce, hako, type Scenario, tryWait } from "../scenarios.ts";
import { Stage } from "./stage.ts";

/** Each of the two, on containers that lead to calls of their own. */
export function checkpoints(bundle: GoldenBundle): Scenario[] {
  if (NO_CRIU !== undefined) {
    console.log(`no checkpoint, and no restore: ${NO_CRIU}`);
    return [];
  }
  const detached = ["--detach"];
  const onConsole = [...detached, "--console-socket", consoleOf(bundle)];
  const preDump = ["--pre-dump", "--parent-path", ".."];
  return [
    checkpoint(bundle, asleep, { name: "checkpoint", work: `${bundle.path}/work` }),
    checkpoint(bundle, asleep, {
      name: "checkpoint of what goes on",
      options: () => ["--leave-running"],
      stays: true,
    }),
    checkpoint(bundle, asleep, { name: "pre-dump", options: () => preDump, stays: true }),
    checkpoint(bundle, asleep, { name: "checkpoint without memory", options: lazily }),
    checkpoint(bundle, inOtherNamespaces, { name: "checkpoint in joined namespaces" }),
    restore(bundle, asleep, { name: "restore", options: detached }),
    restore(bundle, inOtherNamespaces, { name: "restore into namespaces", options: detached }),
    restore(bundle, withTerminal, { name: "restore with a terminal", options: onConsole }),
    restore(bundle, atADoor, { name: "restore until its end" }),
    restore(bundle, asleep, { name: "restore of what is damaged", options: detached, isDamaged: true }),
  ];
}

/** A container to be saved: the config of `bundle` changed, and what it needs. */
type Kind = (bundle: GoldenBundle, stage: Stage) => Config;

function asleep(bundle: GoldenBundle): Config {
  return running(bundle, ["/bin/sleep", "600"]);
}

function inOtherNamespaces(bundle: GoldenBundle, stage: Stage): Config {
  const holder = new Holder();
  stage.pids.push(holder.pid);
  stage.defer(() => holder.end());
  const config = asleep(bundle);
  const paths: Partial<Record<NamespaceType, string>> = { network: "/proc/1/ns/net", pid: "/proc/1/ns/pid" };
  const namespaces = config.linux!.namespaces!.map(({ type }) => {
    const { [type]: path } = paths;
    return { type, ...path !== undefined && { path } };
  });
  return { ...config, linux: { ...config.linux, namespaces: holder.inPlaceOf(namespaces) } };
}

function withTerminal(bundle: GoldenBundle, stage: Stage): Config {
  const path = consoleOf(bundle);
  const receivers = new Receivers([path]);
  stage.defer(() => {
    receivers.close();
    Deno.removeSync(path);
  });
  const config = asleep(bundle);
  return { ...config, process: { ...config.process!, terminal: true } };
}

function consoleOf({ path }: GoldenBundle): string {
  return `${path}/console`;
}

/** In the image, once a container is saved. */
const DOOR = "door";

/** It ends when it sees that file. */
function atADoor(bundle: GoldenBundle): Config {
  return running(bundle, ["/bin/sh", "-c", `until [ -e /${DOOR} ]; do sleep 0.01; done`]);
}

function running({ config }: GoldenBundle, args: readonly string[]): Config {
  return { ...config, process: { ...config.process!, args } };
}

/** Makes the container. @param file of the host's, for its streams */
async function run(config: Config, bundle: GoldenBundle, file: string): Promise<number> {
  const { id, path, root, renew } = bundle;
  renew();
  const before = descriptors();
  const stream = openat2(AT_FDCWD, file, { flags: O_RDWR | O_CLOEXEC });
  const container = await createContainer(config, {
    id,
    bundle: path,
    root,
    stdio: [stream, stream, stream],
    ...config.process?.terminal && { consoleSocket: consoleOf(bundle) },
  });
  container.start();
  closeOthers(before);
  return container.pid;
}

/** Somebody asks for its memory when it can be had, and has enough of it at once. Where there is none it is nobody's error. */
function lazily(stage: Stage): string[] {
  const port = 20000 + Deno.pid % 10000;
  // PS_IOV_CLOSE of CRIU's page-xfer.c, in a struct page_server_iov of 24 bytes.
  const script = `
    read -d '' -n 1 || exit
    exec 2>/dev/null
    printf '\\x23\\x10%22s' '' | tr ' ' '\\0' >/dev/tcp/127.0.0.1/${port}`;
  const { socket } = stage.shell(script);
  return ["--lazy-pages", "--page-server", `127.0.0.1:${port}`, "--status-fd", `${socket}`];
}

interface CheckpointOptions {
  readonly name: string;
  /** Where CRIU's log is, if not with the images. */
  readonly work?: string;
  options?(stage: Stage): readonly string[];
  /** The container goes on, and is there afterwards. */
  readonly stays?: boolean;
}

/** The answer of a kernel that does not tell which memory changes. */
const LACKING = /criu cannot do this on this kernel: .*$/;

function checkpoint(bundle: GoldenBundle, kind: Kind, about: CheckpointOptions): Scenario {
  const { name, work, options = () => [], stays = false } = about;
  const { id, path, root } = bundle;
  const images = `${path}/made`;
  const log = `${work ?? images}/dump.log`;
  let stage: Stage;
  let words: readonly string[];
  let pid: number;
  let made: string;
  return {
    name,
    slow: true,
    orphans: true,
    async prepare() {
      for (const folder of [images, log]) if (exists(folder)) Deno.removeSync(folder, { recursive: true });
      stage = new Stage();
      words = [
        "--image-path",
        images,
        ...work === undefined ? [] : ["--work-path", relative(Deno.cwd(), work)],
        ...options(stage),
        id,
      ];
      pid = await run(kind(bundle, stage), bundle, `${path}/config.json`);
      return { ids: [id], pids: [pid], beside: stage.pids };
    },
    async act() {
      made = "";
      try {
        await hako(root, "checkpoint", words);
      } catch (error) {
        made = LACKING.exec((error as Error).message)?.[0] ?? "";
        if (made === "") throw error;
      }
    },
    after(error) {
      closeLinksTo(`${root}/${id}`);
      const isMade = error === undefined && made === "";
      if (isMade) made = describeImages(images);
      const mayEnd = !stays && (isMade || isComplete(log));
      return [...stage.look(), ...mayEnd ? [] : haltsOf(bundle)];
    },
    output: () => made,
    finish() {
      deleteByForce(root, id);
      if (children().includes(pid)) {
        Deno.kill(pid, "SIGKILL");
        tryWait(pid);
      }
      stage.clear();
    },
  };
}

/** What there is of a checkpoint, without numbers. */
function describeImages(images: string): string {
  const names = [...Deno.readDirSync(images)].map(({ name }) => name).sort();
  const texts = names.filter((name) => name.endsWith(".json"))
    .map((name) => Deno.readTextFileSync(`${images}/${name}`));
  return withoutNumbers([...names, ...texts].join("\n"));
}

/** CRIU has all that it needs, and may have begun to end the container. */
function isComplete(log: string): boolean {
  return exists(log) && Deno.readTextFileSync(log).includes("Dumping finished successfully");
}

/** What keeps a container that was not saved from going on. */
function haltsOf({ root, id }: GoldenBundle): string[] {
  const container = Container.load(root, id);
  const [status, state] = [container.status(), readStat(container.pid)?.state];
  return status === "running" && !/[Tt]/.test(state!) ? [] : [`a container that is ${status} (${state})`];
}

/** What CRIU's log has to say then. */
const DAMAGED = /criu cannot restore: .*, see/;

interface RestoreOptions {
  readonly name: string;
  readonly options?: readonly string[];
  /** It fails. */
  readonly isDamaged?: boolean;
}

function restore(bundle: GoldenBundle, kind: Kind, about: RestoreOptions): Scenario {
  const { name, options = [], isDamaged = false } = about;
  const { id, path, root } = bundle;
  const images = `${path}/${name.replaceAll(" ", "-")}`;
  const file = `${images}.json`;
  const words = ["--bundle", path, "--config", file, "--image-path", images, "--pid-file", `${path}/pid`];
  let stage: Stage;
  let open: readonly string[];
  let made: string;
  /** The container is saved once for all. Ours may be other streams than its own: of a file CRIU compares the size. */
  async function save(config: Config): Promise<void> {
    const door = `${path}/rootfs/${DOOR}`;
    if (exists(door)) Deno.removeSync(door);
    const before = descriptors();
    const pid = await run(config, bundle, "/dev/null");
    await hako(root, "checkpoint", ["--image-path", images, id]);
    tryWait(pid);
    closeOthers(before);
    Deno.writeTextFileSync(door, "");
    if (isDamaged) Deno.truncateSync(`${images}/pstree.img`, 10);
  }
  return {
    name,
    slow: true,
    orphans: true,
    fails: isDamaged,
    async prepare() {
      stage = new Stage();
      const config = kind(bundle, stage);
      Deno.writeTextFileSync(file, stringify(config));
      if (!exists(images)) await save(config);
      open = descriptors();
      return { beside: stage.pids };
    },
    async act() {
      made = "";
      try {
        await hako(root, "restore", [...words, ...options, id]);
      } catch (error) {
        made = isDamaged ? DAMAGED.exec((error as Error).message)?.[0] ?? "" : "";
        if (made === "") throw error;
      }
    },
    after(error) {
      const left = stage.look();
      if (error !== undefined) return left;
      const more = descriptors().filter((one) => !open.includes(one));
      if (exists(`${root}/${id}`)) made = describeContainer(bundle);
      return more.length === 0 ? left : [`descriptors: ${more}`, ...left];
    },
    output: () => made,
    finish() {
      // A restore that has failed, and could not remove all, holds it.
      closeLinksTo(`${root}/${id}`);
      deleteByForce(root, id);
      stage.clear();
    },
  };
}

/** A container as it was restored, without numbers. */
function describeContainer({ root, id }: GoldenBundle): string {
  const { pid, state } = Container.load(root, id);
  const files = ["mountinfo", "cgroup", "limits"].map((name) =>
    Deno.readTextFileSync(`/proc/${pid}/${name}`)
  );
  const lines = files.flatMap((text) => withoutNumbers(text).split("\n").sort());
  return JSON.stringify([withoutNumbers(stringify(state)), ...lines]);
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, "0");
}
