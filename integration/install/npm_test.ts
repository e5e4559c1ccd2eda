/** The npm packages, from a registry that has nothing else. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertWorks, command, installTest, without } from "./clean_root.ts";
import { serveRegistry } from "./registry.ts";

const POLICY =
  `{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO" }] }`;

/** A user of the compiler, whose types are strict, and wrong in one place. */
const USER = `
import { compileSeccomp, decodeProgram, disassemble, PolicyError, type Compiled, type Policy } from "@hako/bpf-compiler";
const policy: Policy = ${POLICY};
const { program, stats }: Compiled = compileSeccomp(policy, { native: "x86_64", objective: "size" });
const instructions: number = stats.instructions;
console.log(instructions, disassemble(decodeProgram(program)).length, new PolicyError("/x", "y").pointer);
// @ts-expect-error there is no such objective
if (instructions < 0) compileSeccomp(policy, { objective: "fast" });
`;

/** Runs a module where there is nothing but the language: no API of Node, Deno or a browser. */
const BARE = `
import { readFileSync } from "node:fs";
import { createContext, SourceTextModule } from "node:vm";
const context = createContext(Object.create(null));
const text = readFileSync(new URL(import.meta.resolve("@hako/bpf-compiler")), "utf8");
const module = new SourceTextModule(text, { context });
await module.link((specifier) => { throw new Error("imports " + specifier); });
await module.evaluate();
const { program } = module.namespace.compileSeccomp(${POLICY}, { native: "x86_64" });
const foreign = new SourceTextModule("globalThis.found = [typeof process, typeof URL, typeof TextEncoder]", { context });
await foreign.link(() => {});
await foreign.evaluate();
console.log(module.namespace.decodeProgram(program).length, [...context.found].join());
`;

installTest(
  "the npm packages install and work, the compiler also in a bare engine",
  without("npm", "tar"),
  async (directory) => {
    const registry = await serveRegistry(Deno.makeTempDirSync({ dir: directory }));
    try {
      const home = `${directory}/home`;
      const env = { HOME: home, PATH: Deno.env.get("PATH")!, NPM_CONFIG_REGISTRY: registry.url };
      const npm = async (...args: string[]) => {
        const { success, stdout, stderr } = await new Deno.Command("npm", {
          args: [...args, "--no-audit", "--no-fund"],
          cwd: directory,
          env,
          clearEnv: true,
          stdin: "null",
        }).output();
        const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
        assertEquals([success, success ? "" : `${out}${err}`], [true, ""]);
      };

      const prefix = `${directory}/prefix`;
      await npm("install", "--global", `--prefix=${prefix}`, "@hako/hako", "@hako/bpf-compiler");
      // Its Deno is that of the registry: there is no other.
      assertWorks(`${prefix}/bin/hako`, directory, { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" });
      assertMatch(Deno.readTextFileSync(`${prefix}/share/man/man1/hako.1`), /^\.TH HAKO 1 /);
      Deno.writeTextFileSync(`${directory}/policy`, POLICY);
      const asm = ["compile", "--format", "asm", `${directory}/policy`];
      assertStringIncludes(command([`${prefix}/bin/hako-bpf`, ...asm], { env }), "mkdir");

      const project = `${directory}/project`;
      Deno.mkdirSync(project);
      Deno.writeTextFileSync(`${project}/package.json`, '{ "type": "module" }');
      await npm("install", `--prefix=${project}`, "@hako/bpf-compiler");
      Deno.writeTextFileSync(`${project}/bare.js`, BARE);
      assertMatch(
        command(["node", "--experimental-vm-modules", "--no-warnings", "bare.js"], { cwd: project, env }),
        /^\d+ undefined,undefined,undefined\n$/,
      );
      Deno.writeTextFileSync(`${project}/user.ts`, USER);
      // TypeScript is from the real registry.
      const { NPM_CONFIG_REGISTRY: _, ...real } = env;
      command(["npm", "install", "--no-audit", "--no-fund", "typescript@7"], { cwd: project, env: real });
      const options = ["--strict", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom"];
      command(["node_modules/.bin/tsc", ...options, "user.ts"], { cwd: project, env: real });
      assertMatch(command(["node", "user.js"], { cwd: project, env: real }), /^(\d+) \1 \/x\n$/);
    } finally {
      await registry.end();
    }
  },
);

installTest("deno install -g takes both npm packages", without("npm", "tar"), async (directory) => {
  const registry = await serveRegistry(Deno.makeTempDirSync({ dir: directory }));
  try {
    const bin = `${directory}/deno`;
    Deno.mkdirSync(bin);
    Deno.symlinkSync(Deno.execPath(), `${bin}/deno`);
    const env = {
      HOME: `${directory}/home`,
      PATH: `${bin}:/usr/bin:/bin:/usr/sbin:/sbin`,
      NPM_CONFIG_REGISTRY: registry.url,
    };
    const install = async (...args: string[]) => {
      const words = ["install", "--global", "--quiet", "--root", `${directory}/root`, ...args];
      const { code, stderr } = await new Deno.Command("deno", {
        args: words,
        env,
        clearEnv: true,
        cwd: directory,
      }).output();
      assertEquals([code, code === 0 ? "" : new TextDecoder().decode(stderr)], [0, ""]);
    };
    await install("--allow-all", "npm:@hako/hako");
    await install("--allow-read", "npm:@hako/bpf-compiler/hako-bpf");
    Deno.writeTextFileSync(`${directory}/policy`, POLICY);
    assertStringIncludes(
      command([`${directory}/root/bin/hako-bpf`, "compile", "--format", "asm", `${directory}/policy`], {
        env,
      }),
      "mkdir",
    );
    // What an installed command does without a registry.
    await registry.end();
    assertWorks(`${directory}/root/bin/hako`, directory, env);
  } finally {
    await registry.end();
  }
});

/** Names all that is exported, with a wrong use of it. */
const LIBRARY_USER = `
import * as hako from "hako";
import { type Config, type Container, createContainer, defaultConfig, Sandbox, type SandboxOptions } from "hako";
const options: SandboxOptions = { memory: 64 << 20, pids: 16 };
const config: Config = defaultConfig();
const create: (config: Config, options: hako.CreateOptions) => Promise<Container> = createContainer;
const mode: number = (config.process?.user?.umask ?? 0) & 0o777;
// @ts-expect-error a number of bytes
const wrong: SandboxOptions = { memory: "64m" };
// @ts-expect-error it has no such option
await (null as unknown as Sandbox | null)?.writeFile("/tmp/x", "", { owner: 1 });
console.log(Object.keys(hako).sort().join(), options.pids, create.length > 0, mode, wrong.memory);
`;

installTest(
  "the npm package is a library for Deno, with its types, and its docs' example runs",
  without("npm", "tar"),
  async (directory) => {
    const registry = await serveRegistry(Deno.makeTempDirSync({ dir: directory }));
    try {
      const env = {
        HOME: `${directory}/home`,
        PATH: Deno.env.get("PATH")!,
        NPM_CONFIG_REGISTRY: registry.url,
      };
      const project = `${directory}/project`;
      Deno.mkdirSync(project);
      const write = (name: string, text: string) => Deno.writeTextFileSync(`${project}/${name}`, text);
      write(
        "deno.json",
        `{ "imports": { "hako": "npm:@hako/hako" }, "compilerOptions": { "strict": true } }`,
      );
      write("user.ts", LIBRARY_USER);
      const page = Deno.readTextFileSync(new URL("../../docs/library.md", import.meta.url));
      const [, example = ""] = /## Sandbox\n+```ts\n([^]*?)```/.exec(page) ?? [];
      assertStringIncludes(example, `from "./runtime/mod.ts"`);
      write("example.ts", example.replace(`"./runtime/mod.ts"`, `"hako"`));
      const deno = async (...args: string[]) => {
        const options = { args, cwd: project, env, clearEnv: true, stdin: "null" } as const;
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
        const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
        assertEquals([code, code === 0 ? "" : err], [0, ""]);
        return out!;
      };
      await deno("check", "user.ts", "example.ts");
      const exported = Object.keys(await import("../../runtime/mod.ts")).sort().join();
      assertEquals(await deno("run", "-A", "user.ts"), `${exported} 16 true 0 64m\n`);
      if (Deno.uid() === 0) {
        assertEquals(await deno("run", "-A", "example.ts"), "0 1\n2\n3\n\n137 SIGKILL\n");
      }
    } finally {
      await registry.end();
    }
  },
);
