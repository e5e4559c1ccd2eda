/**
 * Assembles <part>_<cpu>.S to `generated/<part>_<cpu>.ts`, code and listing side by side.
 *
 * `deno run -A runtime/init/assemble.ts` writes; with `--check` it compares and exits with 1 on a difference. Needs
 * binutils and binutils-aarch64-linux-gnu.
 *
 * @module
 */
import { ERRNO } from "../linux/generated/errno.ts";
import { type Cpu, SYSCALLS } from "../linux/generated/syscalls.ts";
import { MAX_ERRNOS } from "../plan/node.ts";
import { STATUS_BYTES } from "../plan/status_page.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  SIGCHLD,
  WNOHANG,
} from "../linux/generated/constants.ts";
import { DATA_ADDRESS, RECORD, STATUS, STATUS_ADDRESS, TEXT_ADDRESS } from "./record.ts";
import {
  ANSWER_BYTES,
  FRAME,
  HEAD as RESUME_HEAD,
  LEAVES,
  QUESTION_BYTES,
  RESUME_ADDRESS,
} from "./resume.ts";
import { HEAD, HEAD_BYTES, IMAGE_ADDRESS, LOADER, MAX_ERRNO } from "./supervisor.ts";

/** What the name of each of GNU's tools starts with. */
const TOOLS: Readonly<Record<Cpu, string>> = { x86_64: "x86_64-linux-gnu-", aarch64: "aarch64-linux-gnu-" };
const CPUS = Object.keys(TOOLS) as Cpu[];

/**
 * The programs of machine code, and their CPUs: the stub of every init, the two that a compiled executable has around it,
 * and what a snapshot has before it.
 */
export const PARTS = {
  stub: CPUS,
  supervisor: CPUS,
  loader: CPUS,
  resume: ["x86_64"],
} as const satisfies Record<
  string,
  readonly Cpu[]
>;
export type Part = keyof typeof PARTS;

/** Where fstat(2) writes the device number, in how much: asm/stat.h. */
const STAT: Readonly<Record<Cpu, { readonly bytes: number; readonly rdev: number }>> = {
  x86_64: { bytes: 144, rdev: 40 },
  aarch64: { bytes: 128, rdev: 32 },
};

/** Everything that the sources leave to record.ts, supervisor.ts and the kernel's headers. */
function symbols(part: Part, cpu: Cpu): Record<string, number> {
  return {
    DATA_ADDRESS,
    STATUS_ADDRESS,
    MAX_ERRNOS,
    SYS_exit_group: SYSCALLS[cpu].exit_group,
    ...offsets("RECORD", RECORD),
    ...offsets("STATUS", STATUS),
    ...(part === "resume" ? resumeSymbols() : part === "stub" ? {} : supervisorSymbols(cpu)),
  };
}

function offsets(prefix: string, members: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(members).map(([name, offset]) => [`${prefix}_${name.toUpperCase()}`, offset]),
  );
}

function supervisorSymbols(cpu: Cpu): Record<string, number> {
  return {
    INCLUDED: 1,
    SUPERVISED: 1,
    TEXT_ADDRESS,
    IMAGE_ADDRESS,
    HEAD_ADDRESS: TEXT_ADDRESS,
    HEAD_BYTES,
    STATUS_BYTES,
    MAX_ERRNO,
    ENOENT: ERRNO.ENOENT,
    SIGCHLD,
    SIG_SETMASK: 2,
    WNOHANG,
    PROT_READ_WRITE: PROT_READ | PROT_WRITE,
    PROT_READ_EXECUTE: PROT_READ | PROT_EXEC,
    MAP_PRIVATE_ANONYMOUS_FIXED: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    MAP_SHARED_ANONYMOUS_FIXED: MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
    STAT_BYTES: STAT[cpu].bytes,
    STAT_RDEV: STAT[cpu].rdev,
    // makedev(1, 3)
    NULL_DEVICE: 0x103,
    ...offsets("HEAD", HEAD),
    ...offsets("LOADER", LOADER),
    ...Object.fromEntries(CALLS.map((call) => [`SYS_${call}`, SYSCALLS[cpu][call]])),
  };
}

function resumeSymbols(): Record<string, number> {
  return {
    INCLUDED: 1,
    RESUME_ADDRESS,
    LEAVES: LEAVES.length,
    QUESTION_BYTES,
    ANSWER_BYTES,
    ...offsets("HEAD", RESUME_HEAD),
    ...offsets("FRAME", FRAME),
    SYS_arch_prctl: SYSCALLS.x86_64.arch_prctl,
    // asm/prctl.h
    ARCH_SET_FS: 0x1002,
  };
}

/** What supervisor and loader call themselves. */
const CALLS = [
  "clone",
  "execve",
  "fstat",
  "getpid",
  "kill",
  "mmap",
  "mprotect",
  "rt_sigaction",
  "rt_sigprocmask",
  "rt_sigtimedwait",
  "wait4",
  "writev",
] as const;

/** Whether {@linkcode assembled} can work here for `cpu`. */
export async function canAssemble(cpu: Cpu): Promise<boolean> {
  try {
    await run(`${TOOLS[cpu]}as`, ["--version"]);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Where the table of `part` for `cpu` is kept. */
export function tableOf(part: Part, cpu: Cpu): URL {
  return new URL(`generated/${part}_${cpu}.ts`, import.meta.url);
}

/** The text of the table of `part` for `cpu`, freshly assembled. */
export async function assembled(part: Part, cpu: Cpu): Promise<string> {
  const tool = TOOLS[cpu];
  const source = new URL(`${part}_${cpu}.S`, import.meta.url).pathname;
  const directory = await Deno.makeTempDir();
  try {
    const [object, image, code] = ["stub.o", "stub", "stub.bin"].map((name) => `${directory}/${name}`) as [
      string,
      string,
      string,
    ];
    const defined = Object.entries(symbols(part, cpu)).flatMap((
      [name, value],
    ) => ["--defsym", `${name}=${value}`]);
    await run(`${tool}as`, [...defined, "-I", import.meta.dirname!, "-o", object, source]);
    // Linked so that a symbol nobody defined is an error here and not a zero in the container.
    await run(`${tool}ld`, [`-Ttext=0x${TEXT_ADDRESS.toString(16)}`, "-o", image, object]);
    await run(`${tool}objcopy`, ["-O", "binary", "-j", ".text", image, code]);
    const version = (await run(`${tool}as`, ["--version"])).match(/\d+\.\d+/)?.[0];
    const listing = await run(`${tool}objdump`, ["-d", "--no-show-raw-insn", image]);
    const head =
      `// Generated by runtime/init/assemble.ts from ${part}_${cpu}.S with GNU as ${version}; do not edit.\n`;
    return head + table(part, listing, await Deno.readFile(code));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** One line of text for each instruction. The bytes are the file's own: objdump prints words on some CPUs. */
function table(part: Part, listing: string, code: Uint8Array): string {
  const rows: { offset: number; text: string; label: string }[] = [];
  let label = "";
  for (const line of listing.split("\n")) {
    const [, name] = line.match(/^[0-9a-f]+ <(\w+)>:$/) ?? [];
    if (name !== undefined) label = `  // ${name}:\n`;
    const [, address, text] = line.match(/^\s*([0-9a-f]+):\t(.*?)(\s*\/\/.*)?$/) ?? [];
    if (address === undefined) continue;
    rows.push({
      offset: parseInt(address, 16) - TEXT_ADDRESS,
      text: text!.replace(/\s+/g, " "),
      label,
    });
    label = "";
  }
  const lines = rows.map(({ offset, text, label }, index) => {
    const bytes = code.subarray(offset, rows[index + 1]?.offset);
    return `${label}  "${bytes.toHex()}", // ${text}\n`;
  });
  return `
/** The code, ${code.length} bytes, in hexadecimal. */
export const ${part.toUpperCase()} = [
${lines.join("")}].join("");
`;
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

if (import.meta.main) {
  for (const part of Object.keys(PARTS) as Part[]) {
    for (const cpu of PARTS[part]) {
      const text = await assembled(part, cpu);
      const file = tableOf(part, cpu);
      if (!Deno.args.includes("--check")) await Deno.writeTextFile(file, text);
      else if (await Deno.readTextFile(file) !== text) {
        console.error(`${file.pathname} is not what ${part}_${cpu}.S gives: run runtime/init/assemble.ts`);
        Deno.exitCode = 1;
      }
    }
  }
}
