/**
 * Writes `generated/` from `data/`: the numbers of system calls, and how often programs make them.
 *
 * `deno run -A bpf-compiler/generate.ts` writes, with `--check` it compares and exits with 1 on a difference.
 *
 * `data/syscalls.tsv` holds the numbers of every ABI as in the uapi headers of Debian's linux-libc-dev 7.2.13
 * (asm/unistd_*.h), and the kernel in which a call of 3.0 or later appeared first, after syscalls(2). For a newer kernel
 * replace its columns, and nothing else. `data/weights.json` holds shares of all calls that seven programs made under
 * strace -c: a node server, git, gcc, python, tar, busybox sh, find.
 *
 * @module
 */

const HERE = new URL("./", import.meta.url);
const DO_NOT_EDIT =
  "// Written by bpf-compiler/generate.ts from Linux 7.2.13 uapi headers. Do not edit.\n// deno-fmt-ignore-file\n";

interface Row {
  readonly name: string;
  readonly since: string;
  readonly numbers: readonly (number | undefined)[];
}

function readRows(): { abis: string[]; rows: Row[] } {
  const [header, ...lines] = Deno.readTextFileSync(new URL("data/syscalls.tsv", HERE)).trimEnd().split("\n");
  const rows = lines.map((line) => {
    const [name = "", since = "", ...numbers] = line.split("\t");
    return { name, since, numbers: numbers.map((number) => number === "-" ? undefined : Number(number)) };
  });
  return { abis: header!.split("\t").slice(2), rows };
}

/**
 * The calls of one ABI by number, as pairs of differences to the pair before: of the number, less one, and of the name's
 * place in NAMES, less one. In most places both are 0, so "*" and a count stands for that many such pairs.
 */
function encode(rows: readonly Row[], abi: number): string {
  const calls = rows.flatMap(({ numbers }, name) => {
    const number = numbers[abi];
    return number === undefined ? [] : [{ number, name }];
  }).sort((a, b) => a.number - b.number);
  const words: string[] = [];
  let run = 0;
  let last = { number: -1, name: -1 };
  for (const call of [...calls, undefined]) {
    const [number, name] = call ? [call.number - last.number - 1, call.name - last.name - 1] : [-1, -1];
    if (number === 0 && name === 0) run++;
    else {
      if (run > 0) words.push(`*${run.toString(36)}`);
      run = 0;
      if (call) words.push(`${number.toString(36)},${name.toString(36)}`);
    }
    if (call) last = call;
  }
  return words.join(" ");
}

/** A string literal, over several lines if it has to be, for people to read. */
function literal(words: readonly string[]): string {
  const lines = [""];
  for (const word of words) {
    const line = lines.at(-1)!;
    if (line.length + word.length > 100) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line, at) => `"${line}${at === lines.length - 1 ? "" : " "}"`).join(" +\n  ");
}

function member(key: string, words: readonly string[]): string {
  return `  ${key}:\n    ${literal(words).replaceAll("\n", "\n  ")},\n`;
}

function syscalls(): string {
  const { abis, rows } = readRows();
  const since = Object.groupBy(rows.filter(({ since }) => since !== "-"), ({ since }) => since);
  return `${DO_NOT_EDIT}
/** Every name that some ABI has, by the numbers of x86_64 and then those of the others. */
export const NAMES: string =
  ${literal(rows.map(({ name }) => name))};

/** The kernel in which a call appeared first. What is missing is older than 3.0, or not known. */
export const SINCE: Readonly<Record<string, string>> = {
${
    Object.entries(since).map(([kernel, calls]) => member(`"${kernel}"`, calls!.map(({ name }) => name)))
      .join("")
  }};

/** The calls of each ABI by number: see encode() in the generator. */
export const CALLS: Readonly<Record<string, string>> = {
${abis.map((abi, at) => member(abi, encode(rows, at).split(" "))).join("")}};
`;
}

function weights(): string {
  const weights = JSON.parse(Deno.readTextFileSync(new URL("data/weights.json", HERE)));
  return `${DO_NOT_EDIT}
/** Of a million system calls of usual programs, how many are this one. */
export const WEIGHTS: Readonly<Record<string, number>> = {
${Object.entries<number>(weights).map(([name, share]) => `  ${name}: ${Math.round(share * 1e6)},`).join("\n")}
};
`;
}

const check = Deno.args.includes("--check");
const stale = [["syscalls.ts", syscalls()] as const, ["weights.ts", weights()] as const].filter(
  ([name, text]) => {
    const file = new URL(`generated/${name}`, HERE);
    if (!check) Deno.writeTextFileSync(file, text);
    return check && Deno.readTextFileSync(file) !== text;
  },
);
if (stale.length > 0) {
  console.error(
    `bpf-compiler/generated is not what generate.ts writes: ${stale.map(([name]) => name).join(", ")}`,
  );
  Deno.exit(1);
}
