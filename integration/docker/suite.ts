/** Everything that this folder tries of Docker. @module */
import { Suite } from "../engines/suite.ts";
import { composeCases } from "./compose_cases.ts";
import { configCases } from "./config_cases.ts";
import { docker, dockerRemapped, startDocker } from "./docker.ts";
import { errorCases } from "./error_cases.ts";
import { lifecycleCases, memoryCases } from "./lifecycle_cases.ts";
import { leftCases, manyCases, PEER_OPTIONS } from "./many_cases.ts";
import { remappedCases } from "./remapped_cases.ts";

const suite = new Suite();
await startDocker("docker", docker, PEER_OPTIONS);
await suite.run({ ...configCases, ...lifecycleCases, ...errorCases, ...composeCases }, 4);
await suite.run({ ...memoryCases, ...manyCases });
await suite.run(leftCases);

await startDocker("remapped", dockerRemapped, [
  "--userns-remap=default",
  "--bridge=none",
  "--iptables=false",
]);
await suite.run(remappedCases);
suite.end();
