/** The manual page, from the tables. @see man-pages(7), groff_man(7) @module */

import { globalOptions } from "./command.ts";
import { sentence } from "./help.ts";
import { commands } from "./mod.ts";
import { dashed, type Options } from "./options.ts";
import { VERSION } from "./version.ts";

/** hako(1) in the language of man(7). */
export function manual(): string {
  const parts = Object.values(commands).map(({ name, usage, summary, options }) =>
    `.SS "hako ${name} ${roff(usage)}"\n${roff(sentence(summary))}\n${optionList(options)}`
  );
  return `.TH HAKO 1 "" "hako ${VERSION}" "User Commands"
.SH NAME
hako \\- an OCI container runtime
.SH SYNOPSIS
.B hako
.RI [ options ]
.I COMMAND
.RI [ arguments ]
.SH DESCRIPTION
Hako runs OCI containers. A container is compiled, then executed: config.json becomes a list of system calls, which
.B hako explain
prints and which a program of machine code runs. The command line is that of
.BR runc (8).
.SH OPTIONS
${optionList(globalOptions)}.SH COMMANDS
${parts.join("")}.SH EXIT STATUS
That of the container's process for
.BR run " and " exec ,
or 128 and the signal that killed it; 1 after an error of Hako's own, 255 for
.BR exec .
.SH FILES
.TP
.I /run/hako
the state of containers; rootless:
.I $XDG_RUNTIME_DIR/hako
.SH SEE ALSO
.BR runc (8),
.BR crun (1),
.BR namespaces (7),
.BR cgroups (7)
`;
}

function optionList(options: Options): string {
  return Object.entries(options).map(([name, option]) => {
    const names = [...option.short ? [dashed(option.short)] : [], dashed(name)].map((word) =>
      `\\fB${roff(word)}\\fR`
    );
    const value = option.type === "flag" ? "" : ` \\fI${roff(option.value)}\\fR`;
    const choices = option.type === "choice" ? `: ${option.choices.join(", ")}` : "";
    return `.TP\n${names.join(", ")}${value}\n${roff(option.help + choices)}\n`;
  }).join("");
}

/** Backslashes, hyphens that are to be typed, and points and quotes at the start of a line have a meaning. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/, "\\&");
}
