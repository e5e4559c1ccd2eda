/** Every option of runc's and crun's is one of Hako's: what engines and people have in their scripts. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { type Command, globalOptions, runCommand } from "../../../runtime/cli/command.ts";
import { programHelp } from "../../../runtime/cli/help.ts";
import { commands } from "../../../runtime/cli/mod.ts";
import { type Options, parseOptions } from "../../../runtime/cli/options.ts";
import { UsageError } from "../../../runtime/errors.ts";

/**
 * By command, "" for those before it: `long|short=`, with `=` if it takes a value. Of runc 1.1.5 to 1.5.1 and crun 1.8.1 to
 * 1.29, from their `COMMAND --help`, hidden ones and those of the newest from the sources. Without runc's `--criu`, which went
 * with 1.4, and argp's `--usage` and `-?`.
 */
const RUNC: Readonly<Record<string, string>> = {
  "": "debug log= log-format= root= systemd-cgroup rootless= help|h version|v",
  create: "bundle|b= console-socket= pidfd-socket= pid-file= no-pivot no-new-keyring preserve-fds=",
  run:
    "bundle|b= console-socket= pidfd-socket= detach|d keep pid-file= no-subreaper no-pivot no-new-keyring " +
    "preserve-fds=",
  start: "",
  state: "",
  pause: "",
  resume: "",
  exec:
    "console-socket= pidfd-socket= cwd= env|e= tty|t user|u= additional-gids|g= process|p= detach|d pid-file= " +
    "process-label= apparmor= no-new-privs cap|c= preserve-fds= cgroup= ignore-paused",
  kill: "all|a",
  delete: "force|f",
  list: "format|f= quiet|q",
  ps: "format|f=",
  events: "interval= stats",
  update:
    "resources|r= blkio-weight= cpu-period= cpu-quota= cpu-burst= cpu-share= cpu-rt-period= cpu-rt-runtime= " +
    "cpuset-cpus= cpuset-mems= kernel-memory= kernel-memory-tcp= memory= cpu-idle= memory-reservation= memory-swap= " +
    "pids-limit= l3-cache-schema= mem-bw-schema=",
  checkpoint:
    "image-path= work-path= parent-path= leave-running tcp-established tcp-skip-in-flight link-remap ext-unix-sk shell-job " +
    "lazy-pages status-fd= page-server= file-locks pre-dump manage-cgroups-mode= empty-ns= auto-dedup",
  restore:
    "console-socket= image-path= work-path= tcp-established ext-unix-sk shell-job file-locks manage-cgroups-mode= bundle|b= " +
    "detach|d pid-file= no-subreaper no-pivot empty-ns= auto-dedup lazy-pages lsm-profile= lsm-mount-context=",
  spec: "bundle|b= rootless",
  features: "",
};

const CRUN: Readonly<Record<string, string>> = {
  "": "cgroup-manager= debug log= log-format= log-level= root= rootless= systemd-cgroup help version|v",
  create: "bundle|b= config|f= console-socket= no-new-keyring no-pivot no-subreaper pid-file= preserve-fds=",
  run:
    "bundle|b= config|f= console-socket= detach|d keep no-new-keyring no-pivot no-subreaper pid-file= preserve-fds=",
  start: "",
  state: "",
  pause: "",
  resume: "",
  exec:
    "apparmor= cgroup= console-socket= cwd= cap|c= detach|d env|e= no-new-privs pid-file= preserve-fds= " +
    "process-label= process|p= tty|t user|u=",
  kill: "all|a regex|r",
  delete: "force|f regex|r",
  list: "format|f= quiet|q",
  ps: "format|f=",
  update:
    "blkio-weight= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= cpu-share= cpuset-cpus= cpuset-mems= " +
    "kernel-memory= kernel-memory-tcp= memory= memory-reservation= memory-swap= pids-limit= l3-cache-schema= " +
    "mem-bw-schema= resources|r=",
  checkpoint:
    "image-path= work-path= leave-running tcp-established ext-unix-sk shell-job file-locks parent-path= pre-dump " +
    "manage-cgroups-mode= network-lock=",
  restore:
    "bundle|b= image-path= work-path= tcp-established tcp-close ext-unix-sk shell-job file-locks detach|d pid-file= " +
    "console-socket= manage-cgroups-mode= network-lock= lsm-profile= lsm-mount-context=",
  spec: "bundle|b= file|f= rootless",
  features: "",
  mounts: "",
};

const NOTHING = parseOptions(globalOptions, []).options;

function print(name: string, ...args: string[]): string {
  let printed = "";
  runCommand({ global: NOTHING, commands, print: (text) => printed += text }, name, args);
  return printed;
}

/** What the parser makes of `args`. */
function parse(table: Options, args: readonly string[], command?: Command): Record<string, unknown> {
  const { options, positionals } = parseOptions(table, [...args, "id"], command);
  assertEquals(positionals, ["id"]);
  return options;
}

/** An argument that the option takes. */
function valueFor(table: Options, name: string): string {
  const option = table[name]!;
  return option.type === "choice" ? option.choices[0]! : option.type === "count" ? "7" : "-";
}

for (const [runtime, flags] of Object.entries({ runc: RUNC, crun: CRUN })) {
  for (const [name, words] of Object.entries(flags)) {
    Deno.test(`hako ${name} has the options of ${runtime}`, () => {
      const command = name === "" ? undefined : commands[name];
      assert(name === "" || command !== undefined, `no command ${name}`);
      const table: Options = command?.options ?? globalOptions;
      const help = command ? print(name, "--help") : programHelp(globalOptions, commands);
      const completions = ["bash", "zsh", "fish"].map((shell) => print("completion", shell));
      for (const word of words.split(" ").filter((word) => word !== "")) {
        const [, long, short, takesValue] = /^([\w-]+)(?:\|(\w))?(=?)$/.exec(word)!;
        const option = table[long!];
        assert(option !== undefined, `--${long} is missing`);
        assertEquals(option.type !== "flag", takesValue === "=", `--${long} and its value`);
        assertMatch(help, new RegExp(`${short ? `-${short}, ` : ""}--${long}( |$)`, "m"));
        completions.forEach((completion) => assertStringIncludes(completion, long!));

        const names = [`--${long}`, `-${long}`, ...short ? [`-${short}`] : []];
        const expected = parse(
          table,
          option.type === "flag" ? names.slice(0, 1) : [
            names[0]!,
            valueFor(table, long!),
          ],
          command,
        );
        assert(expected[long!] !== parse(table, [], command)[long!], `--${long} has no effect`);
        for (const spelling of names) {
          const value = option.type === "flag" ? "true" : valueFor(table, long!);
          assertEquals(parse(table, [`${spelling}=${value}`], command), expected);
          if (option.type !== "flag") assertEquals(parse(table, [spelling, value], command), expected);
          else assertEquals(parse(table, [spelling], command), expected);
        }
      }
    });
  }
}

Deno.test("Podman's probe for what restore knows finds that the option takes a value", () => {
  const message = assertThrows(() => print("restore", "--lsm-mount-context"), UsageError).message;
  assertEquals(message, "flag needs an argument: --lsm-mount-context");
});

Deno.test("exec, kill and ps leave what follows the id to others", () => {
  for (const name of ["exec", "kill", "ps"]) {
    const command = commands[name]!;
    const { options, positionals } = parseOptions(
      command.options,
      ["id", "-x", "--help", "--", "-9"],
      command,
    );
    assertEquals([positionals, options.help], [["id", "-x", "--help", "--", "-9"], false]);
  }
});
