// @ts-nocheck: AssemblyScript, which asc checks
/** Programs to be walked: instructions with absolute targets, of any length, without JA. */

import { AND, EQUAL, isTest, JUMP, LOAD, RETURN } from "./opcodes.ts";

export class Program {
  readonly codes: u32[] = [];
  readonly constants: u32[] = [];
  /** The next instruction, or that of a true test. */
  readonly whenTrue: u32[] = [];
  readonly whenFalse: u32[] = [];
  entry: u32 = 0;

  /** Appends an instruction and returns its index. */
  add(code: u32, k: u32, yes: u32, no: u32): u32 {
    this.codes.push(code);
    this.constants.push(k);
    this.whenTrue.push(yes);
    this.whenFalse.push(no);
    return this.codes.length - 1;
  }

  result(verdict: u32): u32 {
    return this.add(RETURN, verdict, 0, 0);
  }

  load(offset: u32, next: u32): u32 {
    return this.add(LOAD, offset, next, next);
  }

  and(mask: u32, next: u32): u32 {
    return this.add(AND, mask, next, next);
  }

  equal(k: u32, yes: u32, no: u32): u32 {
    return this.add(EQUAL, k, yes, no);
  }
}

/** Of struct sock_filter { u16 code; u8 jt, jf; u32 k }, little-endian. Null if an instruction is none that we know. */
export function decodeProgram(at: usize, count: u32): Program | null {
  const program = new Program();
  for (let i: u32 = 0; i < count; i++, at += 8) {
    const code = <u32> load<u16>(at), k = load<u32>(at, 4);
    const yes = i + 1 + load<u8>(at, 2), no = i + 1 + load<u8>(at, 3);
    if (code == RETURN) program.result(k);
    else if (code == LOAD || code == AND) program.add(code, k, i + 1, i + 1);
    else if (code == JUMP) program.add(code, k, i + 1 + k, i + 1 + k);
    else if (isTest(code)) program.add(code, k, yes, no);
    else return null;
    if (code == LOAD && (k > 60 || (k & 3) != 0)) return null;
    if (code != RETURN) {
      const last = max(program.whenTrue[i], program.whenFalse[i]);
      if (last >= count || (code == JUMP && k >= count)) return null;
    }
  }
  return count == 0 ? null : program;
}
