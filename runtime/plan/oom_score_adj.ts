import type { Process } from "../spec/config.ts";
import { writeProc } from "./idioms.ts";
import type { Node } from "./node.ts";

/**
 * process.oomScoreAdj: how soon the process is killed for want of memory. Absent, it MUST stay as it is.
 *
 * Goes before the user namespace, as the file then belongs to nobody that is mapped there, and less than the caller's
 * own value needs CAP_SYS_RESOURCE in the initial one. A fork inherits it.
 *
 * @see proc_pid_oom_score_adj(5), config.md#linux-process
 */
export function oomScoreAdj({ oomScoreAdj }: Process): Node[] {
  if (oomScoreAdj === undefined) return [];
  const reason = { label: `set oom_score_adj to ${oomScoreAdj}`, pointer: "/process/oomScoreAdj" };
  return writeProc(reason, "self/oom_score_adj", `${oomScoreAdj}`);
}
