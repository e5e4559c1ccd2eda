import { Init } from "../../runtime/init/init.ts";
import type { BarrierName } from "../../runtime/plan/node.ts";

/** Has `action` come between the init's arrival at a barrier and what the runtime does there. @returns the way back */
export function atBarrier(name: BarrierName, action: (init: Init) => void): () => void {
  const { next } = Init.prototype;
  Init.prototype.next = function () {
    const barrier = next.call(this);
    if (barrier === name) action(this);
    return barrier;
  };
  return () => Init.prototype.next = next;
}
