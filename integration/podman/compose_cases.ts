/** A compose file of three services, by podman-compose. @module */
import { BOX, command } from "../engines/machine.ts";
import { type Cases, expect, until } from "../engines/suite.ts";
import { IMAGE, podman } from "./podman.ts";

const DIRECTORY = `${BOX}/project`;

const YAML = `version: "3"
services:
  web:
    image: ${IMAGE}
    command: sh -c 'cat /config/page >/www/index.html; exec httpd -f -p 80 -h /www'
    volumes: ["./page:/config/page:ro"]
    tmpfs: /www
  proxy:
    image: ${IMAGE}
    command: sh -c 'while :; do nc -lp 81 -e nc web 80; done'
    read_only: true
    depends_on: [web]
  client:
    image: ${IMAGE}
    command: sh -c 'until wget -qO- http://proxy:81; do sleep 0.1; done; exec sleep 1000'
    init: true
    user: user
    cap_drop: [ALL]
    depends_on: [proxy]
`;

const compose = command("podman-compose", "--file", `${DIRECTORY}/compose.yml`);

export const composeCases: Cases = {
  "podman-compose: three services that know each other by name": async () => {
    Deno.mkdirSync(DIRECTORY);
    Deno.writeTextFileSync(`${DIRECTORY}/compose.yml`, YAML);
    Deno.writeTextFileSync(`${DIRECTORY}/page`, "the page\n");
    try {
      expect(await compose("up", "-d"));
      await until(
        "the page at the client",
        async () => (await podman("logs", "project_client_1")).stdout.includes("the page"),
      );
      expect(await podman("exec", "project_client_1", "id", "-u"), { stdout: "1000" });
    } finally {
      expect(await compose("down", "--timeout", "0"));
    }
  },
};
