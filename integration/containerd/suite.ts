/** Everything that this folder tries of containerd. @module */
import { Suite } from "../engines/suite.ts";
import { startContainerd } from "./containerd.ts";
import { errorCases } from "./error_cases.ts";
import { leftCases, lifecycleCases, restartCases } from "./lifecycle_cases.ts";
import { runCases } from "./run_cases.ts";

const suite = new Suite();
await startContainerd();
await suite.run({ ...runCases, ...lifecycleCases, ...errorCases }, 3);
await suite.run(restartCases);
await suite.run(leftCases);
suite.end();
