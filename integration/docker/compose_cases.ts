/** A compose file of three services that know each other by name. @module */
import { assertEquals } from "@std/assert";
import { BOX, command } from "../engines/machine.ts";
import { type Cases, expect, until } from "../engines/suite.ts";
import { IMAGE, SOCKET } from "./docker.ts";

const FILE = `${BOX}/project/docker-compose.yml`;

const YAML = `version: "2.4"
services:
  web:
    image: ${IMAGE}
    command: sh -c 'cat /config/page >/www/index.html; exec httpd -f -p 80 -h /www'
    volumes: ["./page:/config/page:ro"]
    tmpfs: /www
    mem_limit: 32m
    healthcheck: { test: [CMD, wget, -qO-, "http://localhost"], interval: 0.5s, retries: 20 }
  proxy:
    image: ${IMAGE}
    command: sh -c 'while :; do nc -lp 81 -e nc web 80; done'
    read_only: true
    depends_on: { web: { condition: service_healthy } }
  client:
    image: ${IMAGE}
    command: sh -c 'until wget -qO- http://proxy:81; do sleep 0.1; done; sleep 1000'
    init: true
    user: user
    cap_drop: [ALL]
    depends_on: [proxy]
`;

const compose = command("docker-compose", "--host", SOCKET, "--file", FILE, "--no-ansi");

export const composeCases: Cases = {
  "compose: three services, a network, a health check": async () => {
    Deno.mkdirSync(`${BOX}/project`);
    Deno.writeTextFileSync(FILE, YAML);
    Deno.writeTextFileSync(`${BOX}/project/page`, "the page\n");
    try {
      expect(await compose("up", "-d"));
      await until(
        "the page at the client",
        async () => (await compose("logs", "--no-color", "client")).stdout.includes("the page"),
      );
      expect(await compose("exec", "-T", "client", "id", "-u"), { stdout: "1000" });
      expect(await compose("restart", "--timeout", "0", "proxy"));
      assertEquals((await compose("ps", "-q")).stdout.trim().split("\n").length, 3);
    } finally {
      expect(await compose("down", "--timeout", "0", "--volumes"));
    }
  },
};
