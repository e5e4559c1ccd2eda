/** The npm package of the seccomp compiler in a browser: Chromium without a window, and a page that may load nothing else. */

import { assertEquals } from "@std/assert";
import { makeNpmPackages } from "../../npm.ts";
import { compileSeccomp } from "../../wasm/mod.ts";
import { engineConfig } from "../support/bundle.ts";
import { installTest, without } from "./clean_root.ts";

/** A page's own scripts and WebAssembly, and nothing inline: all that docs/bpf.md says is needed. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

const PAGE = `<!doctype html><title>page</title><script type="module" src="/page.js"></script>`;

/** Compiles the policy, and sends back what has come of it. */
const SCRIPT = `
const answer = async () => {
  const { compileSeccomp, decodeProgram, disassemble } = await import("/mod.js");
  const policy = await (await fetch("/policy")).json();
  const { program } = compileSeccomp(policy, { native: "x86_64" });
  return { program: [...program], lines: disassemble(decodeProgram(program)).length };
};
const body = await answer().catch((error) => ({ error: String(error) }));
await fetch("/answer", { method: "POST", body: JSON.stringify(body) });
`;

installTest("a browser compiles Docker's profile as we do", without("chromium"), async (directory) => {
  makeNpmPackages(directory);
  const policy = engineConfig("docker-default").linux!.seccomp!;
  const module = Deno.readTextFileSync(`${directory}/bpf-compiler/mod.js`);
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    "/": ["text/html", PAGE],
    "/page.js": ["text/javascript", SCRIPT],
    "/mod.js": ["text/javascript", module],
    "/policy": ["application/json", JSON.stringify(policy)],
  };
  const { promise: answered, resolve: answer } = Promise.withResolvers<unknown>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/answer") {
      answer(await request.json());
      return new Response();
    }
    const [type, text] = files[pathname] ?? [];
    if (text === undefined) return new Response(null, { status: 404 });
    return new Response(text, {
      headers: { "content-type": type!, "content-security-policy": CONTENT_SECURITY_POLICY },
    });
  });
  const browser = new Deno.Command("timeout", {
    args: [
      ...["120", "chromium"],
      ...["--headless=new", "--disable-gpu", `--user-data-dir=${directory}/profile`],
      // It does not start as root otherwise.
      ...(Deno.uid() === 0 ? ["--no-sandbox"] : []),
      // With a port for a debugger it does not end by itself when the page is loaded.
      "--remote-debugging-port=0",
      `http://127.0.0.1:${server.addr.port}/`,
    ],
    env: { HOME: directory },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const ended = browser.status.then(({ code }) => ({ error: `chromium has ended with ${code}` }));
  try {
    const { program } = compileSeccomp(policy, { native: "x86_64" });
    assertEquals(await Promise.race([answered, ended]), {
      program: [...program],
      lines: program.length / 8,
    });
  } finally {
    try {
      browser.kill();
    } catch {
      // It has ended.
    }
    await browser.status;
    await server.shutdown();
  }
});
