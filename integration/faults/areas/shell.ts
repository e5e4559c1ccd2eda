import { close } from "../../../runtime/linux/files.ts";
import { packetPair } from "../../../runtime/linux/packets.ts";
import { hasEnded, posixSpawn, wait } from "../../../runtime/linux/processes.ts";
import { closeLinksTo } from "../leftovers.ts";

/** A script that runs beside a command of ours, which blocks us. It hears of us on its stdin. */
export class Shell {
  readonly pid: number;
  /** The other end of its stdin. */
  readonly socket: number;
  readonly #link: string;

  constructor(script: string) {
    const [ours, theirs] = packetPair();
    this.socket = ours;
    this.#link = Deno.readLinkSync(`/proc/self/fd/${ours}`);
    this.pid = posixSpawn({
      path: "/bin/bash",
      // With a socket for its stdin it would take us for a remote user, and read .bashrc: bash(1).
      args: ["bash", "--norc", "-c", script],
      env: ["PATH=/usr/bin:/bin"],
      fds: [{ from: theirs, to: 0 }],
    });
    close(theirs);
  }

  get hasEnded(): boolean {
    return hasEnded(this.pid);
  }

  /** Lets go of it, and waits for its end. */
  end(): void {
    // It may be closed already, and the number be another one's.
    closeLinksTo(this.#link);
    wait(this.pid);
  }
}
