/**
 * A snapshot as an executable.
 *
 * ```
 *   ELF header, resume_x86_64.S   mapped at TEXT_ADDRESS
 *   HEAD                          at RESUME_ADDRESS
 *   the contents of memory        by the records, where they belong
 *   the records                   at DATA_ADDRESS
 * ```
 *
 * @module
 */
import { headerBytes, PF_R, PF_W, PF_X, writeHeaders } from "../init/elf_header.ts";
import { encode } from "../init/encode.ts";
import { RESUME } from "../init/generated/resume_x86_64.ts";
import { DATA_ADDRESS, RECORD_BYTES, STATUS_ADDRESS, TEXT_ADDRESS } from "../init/record.ts";
import {
  ANSWER_BYTES,
  FRAME,
  HEAD,
  HEAD_BYTES,
  LEAVES,
  QUESTION_BYTES,
  RESUME_ADDRESS,
} from "../init/resume.ts";
import type { Registers } from "../linux/ptrace.ts";
import type { Plan, Step } from "../plan/node.ts";
import { STATUS_BYTES } from "../plan/status_page.ts";
import { type Area, PAGE_BYTES } from "./memory.ts";
import type { Piece } from "./plan.ts";

/** Where in the file HEAD is, and what is behind it. */
export const HEAD_OFFSET = PAGE_BYTES;
const CONTENTS_OFFSET = 2 * PAGE_BYTES;
/** How much of the contents is held at once. */
const CHUNK_BYTES = 4 << 20;

/** Where in the file the contents of each of `kept` are. */
export function place(kept: readonly Area[]): Piece[] {
  let next = CONTENTS_OFFSET;
  return kept.map((area) => {
    const offset = next;
    next += area.end - area.start;
    return { ...area, offset };
  });
}

/** How an executable starts. */
export interface Start {
  readonly plan: Plan;
  /** The step for a processor that does not give `answers`. */
  readonly isOtherwise: (step: Step) => boolean;
  /** To LEAVES: ebx, ecx and edx of each. */
  readonly answers: Uint8Array;
  /** For a plan that ends in rt_sigreturn(2): what the process goes on with. */
  readonly frame?: { readonly registers: Registers; readonly signalStack: Uint8Array };
}

/** What an executable has in memory beside its own code. */
export interface Contents {
  readonly pieces: readonly Piece[];
  /** Gives `count` bytes of a piece. */
  readonly read: (address: number, count: number) => Uint8Array;
}

/** Addresses for a plan: where the frame's signal mask is, the ends of a socketpair(2), and the processor's answers. */
export const ADDRESSES = {
  mask: RESUME_ADDRESS + HEAD.frame + FRAME.mask,
  pair: RESUME_ADDRESS + HEAD.pair,
  answers: RESUME_ADDRESS + HEAD.found,
} as const;
export const ANSWERS_BYTES = ANSWER_BYTES * LEAVES.length;

/** Writes an executable to `path`. */
export function writeExecutable(path: string, start: Start, { pieces, read }: Contents): void {
  const code = Uint8Array.fromHex(RESUME);
  const { data, steps } = encode(start.plan, "x86_64", {}, {
    $argv: RESUME_ADDRESS + HEAD.argv,
    $envp: RESUME_ADDRESS + HEAD.envp,
    $first: ADDRESSES.pair,
    $second: ADDRESSES.pair + 4,
  });
  const otherwise = DATA_ADDRESS + RECORD_BYTES * steps.findIndex(start.isOtherwise);

  const codeAt = headerBytes(4);
  const text = new Uint8Array(codeAt + code.length);
  const dataAt = CONTENTS_OFFSET + pieces.reduce((bytes, piece) => bytes + piece.end - piece.start, 0);
  writeHeaders(text, "x86_64", {
    entry: TEXT_ADDRESS + codeAt,
    segments: [
      { flags: PF_R | PF_X, offset: 0, address: TEXT_ADDRESS, file: text.length, memory: text.length },
      { flags: PF_R | PF_W, offset: 0, address: STATUS_ADDRESS, file: 0, memory: STATUS_BYTES },
      { flags: PF_R | PF_W, offset: dataAt, address: DATA_ADDRESS, file: data.length, memory: data.length },
      {
        flags: PF_R | PF_W,
        offset: HEAD_OFFSET,
        address: RESUME_ADDRESS,
        file: HEAD_BYTES,
        memory: HEAD_BYTES,
      },
    ],
  });
  text.set(code, codeAt);

  using file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o755 });
  const write = (at: number, bytes: Uint8Array) => {
    file.seekSync(at, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  };
  write(0, text);
  write(HEAD_OFFSET, headOf(start, otherwise));
  for (const piece of pieces) {
    for (let at = piece.start; at < piece.end; at += CHUNK_BYTES) {
      write(piece.offset + at - piece.start, read(at, Math.min(CHUNK_BYTES, piece.end - at)));
    }
  }
  write(dataAt, data);
}

/** As the kernel's struct ucontext has them: asm/sigcontext.h. */
const FRAME_REGISTERS = [
  ...["r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx"],
  ...["rsp", "rip", "eflags"],
] as readonly (keyof Registers)[];
/** UC_SIGCONTEXT_SS and UC_STRICT_RESTORE_SS of asm/ucontext.h: ss is as given. */
const UC_FLAGS = 6n;

function headOf({ answers, frame }: Start, otherwise: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(HEAD_BYTES));
  const bytes = new Uint8Array(head.buffer);
  head.setBigUint64(HEAD.otherwise, BigInt(otherwise), true);
  LEAVES.forEach(({ leaf, subleaf, ebx }, index) =>
    [leaf, subleaf, ebx].forEach((word, at) =>
      head.setUint32(HEAD.questions + index * QUESTION_BYTES + 4 * at, word, true)
    )
  );
  bytes.set(answers, HEAD.expected);
  if (frame === undefined) return bytes;
  const { registers, signalStack } = frame;
  head.setBigUint64(HEAD.tls, registers.fs_base, true);
  head.setBigUint64(HEAD.frame + FRAME.flags, UC_FLAGS, true);
  bytes.set(signalStack, HEAD.frame + FRAME.stack);
  FRAME_REGISTERS.forEach((name, index) =>
    head.setBigUint64(HEAD.frame + FRAME.registers + 8 * index, registers[name], true)
  );
  head.setUint16(HEAD.frame + FRAME.segments, Number(registers.cs), true);
  head.setUint16(HEAD.frame + FRAME.segments + 6, Number(registers.ss), true);
  return bytes;
}
