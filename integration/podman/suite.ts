/** Everything that this folder tries of Podman and Buildah. @module */
import { Suite } from "../engines/suite.ts";
import { buildahCases } from "./buildah_cases.ts";
import { composeCases } from "./compose_cases.ts";
import { preparePodman } from "./podman.ts";
import { leftCases, rootfulCases } from "./rootful_cases.ts";
import { rootlessCases } from "./rootless_cases.ts";

const suite = new Suite();
await preparePodman();
// One after the other: Podman 4.3 loses containers and layers of its own now and then where several of it write at once.
await suite.run(rootfulCases);
await suite.run(composeCases);
await suite.run(leftCases);
await suite.run(rootlessCases);
await suite.run(buildahCases);
suite.end();
