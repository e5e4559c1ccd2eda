/** `hako completion SHELL`: the completions of bash, zsh and fish, from the tables. @module */

import { UsageError } from "../errors.ts";
import { type Command, type Commands, defineCommand, globalOptions } from "./command.ts";
import { dashed, type Option, type Options } from "./options.ts";

const writers: Record<string, (commands: Commands) => string> = { bash, fish, zsh };

export const completion = defineCommand({
  name: "completion",
  summary: "print the completions of a shell",
  usage: Object.keys(writers).join("|"),
  positionals: { min: 1, max: 1, words: Object.keys(writers) },
  options: {},
  action({ args: [shell], commands, print }) {
    const write = Object.hasOwn(writers, shell) ? writers[shell] : undefined;
    if (write === undefined) {
      throw new UsageError(`no completions for ${shell}, allowed: ${Object.keys(writers).join(", ")}`);
    }
    print(write(commands));
    return 0;
  },
});

/** Every spelling of an option that `--help` shows. */
function spellings([name, { short }]: [string, Option]): string[] {
  return short === undefined ? [dashed(name)] : [dashed(name), dashed(short)];
}

function bash(commands: Commands): string {
  const all = Object.values(commands);
  const valued = Object.entries(globalOptions).filter(([, option]) => option.type !== "flag");
  const words = ({ options, positionals }: Command) => [...positionals.words ?? [], ...longNames(options)];
  return `# bash completion for hako
_hako() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${valued.flatMap(spellings).join("|")}) ((i++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]} && break ;;
    esac
  done
  case "$command $previous" in
${bashValues("", globalOptions)}${all.map(({ name, options }) => bashValues(name, options)).join("")}  esac
  case $command in
    "") words="${[...Object.keys(commands), ...longNames(globalOptions)].join(" ")}" ;;
${all.map((command) => `    ${command.name}) words="${words(command).join(" ")}" ;;\n`).join("")}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _hako hako
`;
}

function longNames(options: Options): string[] {
  return Object.keys(options).map(dashed);
}

/** A case for every option that takes a value. */
function bashValues(command: string, options: Options): string {
  let cases = "";
  for (const [name, option] of Object.entries(options)) {
    if (option.type === "flag") continue;
    const generate = option.type === "choice"
      ? `-W "${option.choices.join(" ")}"`
      : { file: "-f", directory: "-d", "": '-W ""' }[option.complete ?? ""];
    const patterns = spellings([name, option]).map((spelling) => `"${command} ${spelling}"`);
    cases += `    ${patterns.join("|")}) COMPREPLY=($(compgen ${generate} -- "$word")); return ;;\n`;
  }
  return cases;
}

function zsh(commands: Commands): string {
  const rows = Object.values(commands).map(({ name, summary }) => zshQuote(`${name}:${summary}`));
  // The last line serves where the file is autoloaded from $fpath, the one before it where it is sourced.
  return `#compdef hako
_hako() {
  local curcontext=$curcontext state line
  _arguments -C ${zshOptions(globalOptions)} '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(${rows.join(" ")})
      _describe command commands ;;
    argument)
      case $words[1] in
${Object.values(commands).map(zshCommand).join("")}      esac ;;
  esac
}
compdef _hako hako
[[ $funcstack[1] != _hako ]] || _hako "$@"
`;
}

function zshCommand({ name, options, positionals: { words } }: Command): string {
  const argument = words === undefined ? "" : ` '1:argument:(${words.join(" ")})'`;
  return `        ${name}) _arguments ${zshOptions(options)}${argument} ;;\n`;
}

function zshOptions(options: Options): string {
  return Object.entries(options).map(([name, option]) => {
    const names = spellings([name, option]);
    const once = option.type === "list" ? "*" : `(${names.join(" ")})`;
    const help = option.help.replaceAll(/[[\]:]/g, "\\$&");
    return names.map((spelling) => zshQuote(`${once}${spelling}[${help}]${zshValue(option)}`)).join(" ");
  }).join(" ");
}

function zshValue(option: Option): string {
  if (option.type === "flag") return "";
  const action = option.type === "choice"
    ? `(${option.choices.join(" ")})`
    : { file: "_files", directory: "_files -/", "": " " }[option.complete ?? ""];
  return `:${option.value}:${action}`;
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fish(commands: Commands): string {
  const before = `-n 'not __fish_seen_subcommand_from ${Object.keys(commands).join(" ")}'`;
  const lines = ["# fish completion for hako", "complete -c hako -f", ...fishOptions(before, globalOptions)];
  for (const { name, summary, options, positionals: { words } } of Object.values(commands)) {
    const within = `-n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c hako ${before} -a ${name} -d ${fishQuote(summary)}`);
    if (words !== undefined) lines.push(`complete -c hako ${within} -a '${words.join(" ")}'`);
    lines.push(...fishOptions(within, options));
  }
  return lines.join("\n") + "\n";
}

function fishOptions(condition: string, options: Options): string[] {
  return Object.entries(options).map(([name, option]) => {
    const short = option.short === undefined ? "" : ` -s ${option.short}`;
    return `complete -c hako ${condition} -l ${name}${short}${fishValue(option)} -d ${
      fishQuote(option.help)
    }`;
  });
}

function fishValue(option: Option): string {
  if (option.type === "flag") return "";
  if (option.type === "choice") return ` -x -a '${option.choices.join(" ")}'`;
  return {
    file: " -r -F",
    directory: " -x -a '(__fish_complete_directories)'",
    "": " -x",
  }[option.complete ?? ""];
}

function fishQuote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
