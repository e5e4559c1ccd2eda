/**
 * What a container looks like from inside, as lines of text that can be compared.
 *
 * @module
 */
import { parseMounts } from "./mountinfo.ts";

const SYSCTLS = [
  "kernel/msgmax",
  "net/core/somaxconn",
  "net/ipv4/ip_unprivileged_port_start",
  "net/ipv4/ping_group_range",
];

/** A script for busybox. It looks at its own process, as it was executed. */
export function probeScript(paths: readonly string[] = []): string {
  const section = (name: string, command: string) => `echo "@ ${name}"; ${command}`;
  return [
    section("status", "cat /proc/$$/status"),
    section("mounts", "cat /proc/$$/mountinfo"),
    section("environ", "tr '\\0' '\\n' < /proc/$$/environ"),
    section("limit", "cat /proc/$$/limits"),
    section("cwd", "readlink /proc/$$/cwd"),
    section("hostname", "hostname"),
    section("umask", "umask"),
    section("oom_score_adj", "cat /proc/$$/oom_score_adj"),
    section("uid_map", "cat /proc/$$/uid_map"),
    section("network", "ip -o addr | cut -d ' ' -f 2-"),
    section("fd", "ls -1 /proc/$$/fd"),
    section(
      "sysctl",
      `cd /proc/sys; for file in ${SYSCTLS.join(" ")}; do echo $file $(cat $file); done; cd - > /dev/null`,
    ),
    section(
      "dev",
      "find /dev -path /dev/mqueue -prune -o -exec stat -c '%n %F %a %u:%g %t:%T' {} +; " +
        "find /dev -type l -exec sh -c 'echo $0 to $(readlink $0)' {} \\;",
    ),
    section("file", `for file in ${paths.join(" ")}; do echo $file $(content $file); done`),
  ].reduce((script, line) => `${script}\n${line}`, CONTENT);
}

/** What of a path can be read: bytes of a file, entries of a directory. */
const CONTENT = `content() {
  if [ -d $1 ]; then echo $(ls -A $1 2>&1 | wc -l) entries
  elif [ -e $1 ]; then echo $(head -c 100 $1 2>/dev/null | wc -c) bytes
  else echo missing; fi
}`;

/** Of /proc/PID/status, what a runtime has a say in. */
const STATUS =
  /^(Umask|Uid|Gid|Groups|Cap\w+|Sig(Pnd|Blk|Ign|Cgt)|NoNewPrivs|Seccomp\w*|Cpus_allowed_list|Mems_allowed_list|NSpid):/;

/** The output of {@linkcode probeScript} as lines, each with its section before it. */
export function parseProbe(output: string): string[] {
  const lines: string[] = [];
  const mounts: string[] = [];
  let section = "";
  for (const line of output.replaceAll("\r", "").split("\n")) {
    if (line.startsWith("@ ")) section = line.slice(2);
    else if (section === "mounts") mounts.push(line);
    else if (line !== "" && (section !== "status" || STATUS.test(line))) {
      lines.push(`${section} ${line.trim().replaceAll(/\s+/g, " ")}`);
    }
  }
  for (
    const { path, type, source, root, options, propagation, superOptions } of parseMounts(mounts.join("\n"))
  ) {
    lines.push(
      `mount ${path} ${type} ${source} ${root} ${options} ${propagation || "private"} ${superOptions}`,
    );
  }
  return lines;
}
