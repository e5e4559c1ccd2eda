import { assert, assertEquals } from "@std/assert";
import { assembled, canAssemble, tableOf } from "../../../runtime/init/assemble.ts";
import { DATA_ADDRESS, RECORD_BYTES, STATUS } from "../../../runtime/init/record.ts";
import { ERRNO } from "../../../runtime/linux/generated/errno.ts";
import type { Cpu } from "../../../runtime/linux/generated/syscalls.ts";
import { CPUS, runnerOf, testOrSkip } from "./cpus.ts";
import { type Case, CASES, LATE, LATE_OFFSET, prologue, STATUS_BYTES } from "./stub_cases.ts";
import { image, STUBS } from "./stub_program.ts";

const CODE_LIMIT_BYTES = 256;
const TIMEOUT_MILLISECONDS = 20_000;

for (const cpu of CPUS) {
  Deno.test(`stub ${cpu}: code is under ${CODE_LIMIT_BYTES} bytes`, () => {
    assert(STUBS[cpu].length < CODE_LIMIT_BYTES, `${STUBS[cpu].length} bytes`);
  });

  const reason = await canAssemble(cpu) ? undefined : `no GNU as for ${cpu}`;
  testOrSkip(`stub ${cpu}: the table is what the source gives`, reason, async () => {
    assertEquals(await Deno.readTextFile(tableOf("stub", cpu)), await assembled("stub", cpu));
  });

  const { emulator, missing } = runnerOf(cpu);
  for (const one of CASES) {
    const reason = missing ?? (emulator && one.notUnderQemu);
    testOrSkip(`stub ${cpu}: ${one.name}`, reason, () => runCase(cpu, emulator, one));
  }
}

async function runCase(cpu: Cpu, emulator: string | undefined, one: Case): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const statusFile = `${directory}/status`;
    const empty = new Uint8Array(STATUS_BYTES);
    empty.set(new TextEncoder().encode(LATE), LATE_OFFSET);
    await Deno.writeFile(statusFile, empty);
    const first = prologue(statusFile);
    const executable = `${directory}/init`;
    await Deno.writeFile(executable, image(cpu, [...first, ...one.program]), { mode: 0o755 });

    // A stub with a mistake may well run in circles.
    const limit = { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) };
    const command = emulator === undefined
      ? new Deno.Command(executable, limit)
      : new Deno.Command(emulator, { args: [executable], ...limit });
    // Waits for the end of standard output, so for the child of a fork as well.
    const { code, signal, stdout } = await command.output();

    const page = await Deno.readFile(statusFile);
    const view = new DataView(page.buffer);
    const word = (offset: number) => view.getBigUint64(offset, true);
    const address = (record: number) => BigInt(DATA_ADDRESS + (first.length + record) * RECORD_BYTES);
    const slots = (one.slots ?? []).map((_, index) => word(STATUS.slots + index * 8));
    assertEquals(
      {
        exit: signal ?? code,
        stdout: new TextDecoder().decode(stdout),
        record: word(STATUS.record),
        failed: word(STATUS.failed),
        errno: word(STATUS.errno),
        slots,
      },
      {
        exit: one.exit ?? 0,
        stdout: one.stdout ?? "",
        record: address(one.last),
        failed: one.failed === undefined ? 0n : address(one.failed[0]),
        errno: one.failed === undefined ? 0n : BigInt(ERRNO[one.failed[1]]),
        slots: one.slots ?? [],
      },
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
