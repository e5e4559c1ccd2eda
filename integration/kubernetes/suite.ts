/** Everything that this folder tries of Kubernetes' way to a runtime. @module */
import { Suite } from "../engines/suite.ts";
import { containerCases } from "./container_cases.ts";
import { startContainerd } from "./containerd.ts";
import { crictlCases } from "./crictl_cases.ts";
import { leftCases, lifecycleCases, restartCases } from "./lifecycle_cases.ts";
import { podCases } from "./pod_cases.ts";
import { resourceCases } from "./resource_cases.ts";
import { securityCases } from "./security_cases.ts";

const suite = new Suite();
await startContainerd();
await suite.run({ ...containerCases, ...securityCases, ...resourceCases, ...podCases, ...lifecycleCases }, 3);
await suite.run(crictlCases);
await suite.run(restartCases);
await suite.run(leftCases);
suite.end();
