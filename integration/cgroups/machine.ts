/**
 * This machine, whatever it has mounted, for the suite of `tests/cgroups`.
 *
 * @module
 */
import { readHierarchies } from "../../cgroups/hierarchies.ts";
import { type Cgroup, locateCgroup } from "../../cgroups/mod.ts";
import type { Machine, Process } from "../../tests/cgroups/suite/fixture.ts";

export function thisMachine(name: string): Machine {
  const hierarchies = readHierarchies();
  const unified = hierarchies.find(({ controllers }) => controllers === "")?.mountPoint;
  const v1 = hierarchies.flatMap(({ controllers }) => controllers.split(",")).filter((name) => name !== "");
  const v2 = unified === undefined ? [] : words(`${unified}/cgroup.controllers`);
  const locate = (path: string) => locateCgroup({ id: "", cgroupsPath: path, hierarchies });
  const files = filesOf(locate(`/hako-probe-${Deno.pid}`));
  const without = (reason: string, tests: RegExp, ...names: string[]) =>
    names.some((name) => files.has(name)) ? [] : [{ reason, tests }];
  return {
    name,
    controllers: { v1, v2 },
    locate,
    start,
    skip: [
      ...without("no I/O scheduler with weights", /blockIO\.weight/, "blkio.weight", "io.bfq.weight"),
      ...without(
        "no swap accounting",
        /reservation and swap|memory\.swap /,
        "memory.memsw.limit_in_bytes",
        "memory.swap.max",
      ),
      { reason: "needs a network card for RDMA", tests: /rdma/ },
      // What the parent has, the child may have a part of, and the root has given its own to nobody.
      ...v1.includes("cpu") ? [{ reason: "real-time budgets come from the root", tests: /realtime/ }] : [],
    ],
  };
}

/** What the kernel has for a new cgroup. Its controllers do not tell: some files depend on what it was started with. */
function filesOf(cgroup: Cgroup): Set<string> {
  try {
    cgroup.create({});
    return new Set(
      Object.values(cgroup.paths).flatMap((path) => [...Deno.readDirSync(path)].map(({ name }) => name)),
    );
  } finally {
    cgroup.delete();
  }
}

/** Takes back what the suite has the root of cgroup v2 hand down. */
export function restoreAtExit(): void {
  const unified = readHierarchies().find(({ controllers }) => controllers === "");
  if (unified === undefined) return;
  const file = `${unified.mountPoint}/cgroup.subtree_control`;
  const before = words(file);
  addEventListener("unload", () => {
    for (const name of words(file)) if (!before.includes(name)) Deno.writeTextFileSync(file, `-${name}`);
  });
}

/** The script waits until it is where it belongs. */
function start(cgroup: Cgroup, script: string): Process {
  const child = new Deno.Command("sh", {
    args: ["-c", `read -r _; ${script}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  cgroup.add(child.pid);
  return { pid: child.pid, end: finish(child) };
}

async function finish(child: Deno.ChildProcess): Promise<Awaited<Process["end"]>> {
  const writer = child.stdin.getWriter();
  // It may have been killed already.
  await writer.write(new TextEncoder().encode("\n")).then(() => writer.close()).catch(() => {});
  // A killed process may have left children that hold its pipes: they are read once all are gone.
  const { signal, code } = await child.status;
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr, status: signal ? `signal ${signal}` : `code ${code}` };
}

function text(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return new Response(stream).text();
}

function words(file: string): string[] {
  return Deno.readTextFileSync(file).trim().split(" ").filter((word) => word !== "");
}
