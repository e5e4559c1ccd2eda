/** The making of a snapshot, of a program that is smaller than a Deno. @module */
import { StateError } from "../../../runtime/errors.ts";
import { SYSCALLS } from "../../../runtime/linux/generated/syscalls.ts";
import type { OwnState } from "../../../runtime/linux/standstill.ts";
import { takeSnapshot } from "../../../runtime/snapshot/take.ts";
import { exists } from "../../support/files.ts";
import type { GoldenBundle } from "../golden.ts";
import type { Scenario } from "../scenarios.ts";

/** Perl's, which handles no signals: SS_DISABLE. */
const STATE: OwnState = {
  signalStack: new Uint8Array(new BigUint64Array([0n, 2n, 0n]).buffer).toHex(),
  signalActions: [],
  robustList: { address: 0, bytes: 24 },
};

/** Does what runtime/linux/standstill.ts does, with a descriptor of each kind. */
function template(): string {
  const { eventfd2, epoll_create1, ppoll, write } = SYSCALLS.x86_64;
  return `
    socketpair(my $one, my $other, 1, 1, 0) or die;
    open(my $copy, '>&', $one) or die;
    syscall(${eventfd2}, 0, 0) > 0 && syscall(${epoll_create1}, 0) > 0 or die;
    my $state = '${JSON.stringify(STATE)}' . chr(10);
    syscall(${write}, 1, $state, length $state);
    syscall(${ppoll}, 0, 0, 0, 0, 0);
    exit 0;`;
}

export function snapshots({ path }: GoldenBundle): Scenario[] {
  // Whoever starts it asks the processor by cpuid.
  if (Deno.build.arch !== "x86_64") return [];
  const file = `${path}/snapshot`;
  return [{
    name: "take a snapshot",
    slow: true,
    // Who may trace a child may kill it: it is waited for.
    spares: ["kill"],
    act() {
      const program = "/usr/bin/perl";
      try {
        takeSnapshot({ program, args: ["perl", "-e", template()], env: [] }, file, {
          otherwise: "/bin/false",
          tried: [["once"]],
        });
      } catch (error) {
        // The build says what a snapshot cannot have, and ends.
        throw (error as Error).name === "Error" && !("code" in (error as Error))
          ? new StateError(file, (error as Error).message)
          : error;
      }
    },
    after: (error) => {
      const isLeft = exists(`${file}.processor`) && !`${error}`.includes("removeSync");
      return isLeft ? [`file ${file}.processor`] : [];
    },
  }];
}
