/** A containerd of our own with its CRI plugin, and networks for its pods. @module */
import { IMAGE, savedImage } from "../containerd/image.ts";
import { BOX, type Command, command, RUNTIME_PATH, startDaemon } from "../engines/machine.ts";
import { expect } from "../engines/suite.ts";
import { cri, SOCKET } from "./cri.ts";

/** Where the CRI plugin keeps its containers. */
export const ctr: Command = command("ctr", "--address", SOCKET, "--namespace", "k8s.io");

/** containerd has named its tables anew in version 2. */
const SECOND = / v?2\./.test((await command("containerd", "--version")()).stdout);
const RUNTIME_TABLE = SECOND ? "io.containerd.cri.v1.runtime" : "io.containerd.grpc.v1.cri";
const SANDBOX_IMAGE = SECOND
  ? `[plugins."io.containerd.cri.v1.images".pinned_images]\nsandbox = "${IMAGE}"`
  : `[plugins."${RUNTIME_TABLE}"]\nsandbox_image = "${IMAGE}"`;

/** As in docs/kubernetes.md, but for the private paths, and for what this machine may not do. */
const CONFIG = `version = ${SECOND ? 3 : 2}
root = "${BOX}/containerd/root"
state = "${BOX}/containerd/state"
[grpc]
address = "${SOCKET}"
[ttrpc]
address = "${SOCKET}.ttrpc"
${SANDBOX_IMAGE}
${SECOND ? `[plugins."${RUNTIME_TABLE}"]` : ""}
# Without CAP_SYS_RESOURCE nobody gets less than he has.
restrict_oom_score_adj = true
[plugins."${RUNTIME_TABLE}".cni]
${SECOND ? 'bin_dirs = ["/usr/lib/cni"]' : 'bin_dir = "/usr/lib/cni"'}
conf_dir = "${BOX}/cni"
# The default runtime has to be named where another one is, or the plugin does not start.
[plugins."${RUNTIME_TABLE}".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."${RUNTIME_TABLE}".containerd.runtimes.tested]
runtime_type = "io.containerd.runc.v2"
[plugins."${RUNTIME_TABLE}".containerd.runtimes.tested.options]
BinaryName = "${RUNTIME_PATH}"
`;

/** The name of the runtime under test for pods: of a RuntimeClass, the handler. */
export const HANDLER = "tested";

/** A veth pair for each pod, whose host's end routes to it. */
const NETWORK = {
  cniVersion: "0.4.0",
  name: "pods",
  plugins: [{
    type: "ptp",
    ipam: {
      type: "host-local",
      dataDir: `${BOX}/addresses`,
      ranges: [[{ subnet: "10.88.0.0/16" }]],
      routes: [{ dst: "0.0.0.0/0" }],
    },
  }],
};

/** Starts the daemon, again if it has ended. */
export async function startDaemonAgain(): Promise<void> {
  await startDaemon(["containerd", "--config", `${BOX}/config.toml`], () => ctr("version"));
}

/** Starts the daemon, gives it the image, and waits until the plugin knows its network. */
export async function startContainerd(): Promise<void> {
  Deno.mkdirSync(`${BOX}/cni`);
  Deno.writeTextFileSync(`${BOX}/cni/pods.conflist`, JSON.stringify(NETWORK));
  Deno.writeTextFileSync(`${BOX}/config.toml`, CONFIG);
  await startDaemonAgain();
  expect(await ctr("images", "import", await savedImage()));
  const { status } = await cri("Status");
  for (const { type, status: good, message } of status.conditions) {
    if (!good) throw new Error(`containerd: ${type}: ${message}`);
  }
}
