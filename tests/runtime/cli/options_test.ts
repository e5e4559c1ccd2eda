import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../runtime/errors.ts";
import { type Options, parseOptions } from "../../../runtime/cli/options.ts";

const table = {
  bundle: { type: "text", short: "b", value: "DIR", help: "" },
  detach: { type: "flag", short: "d", help: "" },
  "no-pivot": { type: "flag", help: "" },
  "preserve-fds": { type: "count", value: "N", help: "" },
  env: { type: "list", short: "e", value: "VAR", help: "" },
  format: { type: "choice", short: "f", value: "FORMAT", choices: ["json", "table"], help: "" },
} as const satisfies Options;

const nothing = {
  bundle: undefined,
  detach: false,
  "no-pivot": false,
  "preserve-fds": undefined,
  env: [],
  format: undefined,
};

const accepted: [args: string[], options: Record<string, unknown>, positionals: string[]][] = [
  [[], {}, []],
  [["id"], {}, ["id"]],
  [["--bundle", "/b", "id"], { bundle: "/b" }, ["id"]],
  [["--bundle=/b", "id"], { bundle: "/b" }, ["id"]],
  [["-bundle", "/b", "-no-pivot", "id"], { bundle: "/b", "no-pivot": true }, ["id"]],
  [["-bundle=/b"], { bundle: "/b" }, []],
  [["-b", "/b"], { bundle: "/b" }, []],
  [["-b=/b"], { bundle: "/b" }, []],
  [["--b", "/b"], { bundle: "/b" }, []],
  [["id", "-b", "/b"], { bundle: "/b" }, ["id"]],
  [["-b", "/1", "-b", "/2"], { bundle: "/2" }, []],
  [["--bundle="], { bundle: "" }, []],
  [["--bundle=a=b\nc"], { bundle: "a=b\nc" }, []],
  [["--bundle", "-"], { bundle: "-" }, []],
  [["--bundle", "--detach"], { bundle: "--detach" }, []],
  [["--bundle", "--", "id"], { bundle: "--" }, ["id"]],
  [["-", "id"], {}, ["-", "id"]],
  [["", "id"], {}, ["", "id"]],
  [["--detach=true", "--no-pivot=false"], { detach: true }, []],
  [["-d", "--detach=false"], {}, []],
  [["-d", "true"], { detach: true }, ["true"]],
  [["-d", "--", "-b", "--"], { detach: true }, ["-b", "--"]],
  [["--preserve-fds", "3"], { "preserve-fds": 3 }, []],
  [["-e", "A=1,2", "--env", "B", "--env=C=3"], { env: ["A=1,2", "B", "C=3"] }, []],
  [["-f", "json"], { format: "json" }, []],
];

for (const [args, options, positionals] of accepted) {
  Deno.test(`[${args.join(" ")}] is understood`, () => {
    assertEquals(parseOptions(table, args), {
      options: { ...nothing, ...options } as typeof nothing,
      positionals,
    });
  });
}

const refused: [args: string[], message: string][] = [
  [["--nope"], "flag provided but not defined: -nope"],
  [["-x", "1"], "flag provided but not defined: -x"],
  [["-bd"], "flag provided but not defined: -bd"],
  [["--toString"], "flag provided but not defined: -toString"],
  [["---bundle"], "bad flag syntax: ---bundle"],
  [["--=x"], "bad flag syntax: --=x"],
  [["id", "--bundle"], "flag needs an argument: --bundle"],
  [["-b"], "flag needs an argument: -b"],
  [["--detach=yes"], 'invalid detach: "yes", allowed: true or false'],
  [["--preserve-fds", "-1"], 'invalid preserve-fds: "-1", allowed: a whole number'],
  [["--preserve-fds", "1e3"], 'invalid preserve-fds: "1e3", allowed: a whole number'],
  [["--preserve-fds="], 'invalid preserve-fds: "", allowed: a whole number'],
  [["--format", "xml"], 'invalid format: "xml", allowed: json, table'],
  [["-f", "xml"], 'invalid format: "xml", allowed: json, table'],
];

for (const [args, message] of refused) {
  Deno.test(`[${args.join(" ")}] is refused`, () => {
    const error = assertThrows(() => parseOptions(table, args), UsageError);
    assertEquals(error.message, message);
  });
}

Deno.test("with stopAtPositional, what follows the first argument is left alone", () => {
  const parse = (...args: string[]) => parseOptions(table, args, { stopAtPositional: true });
  assertEquals(parse("-d", "id", "ls", "-l", "--", "-d"), {
    options: { ...nothing, detach: true },
    positionals: ["id", "ls", "-l", "--", "-d"],
  });
  assertEquals(parse("-d", "--", "-id").positionals, ["-id"]);
  assertEquals(parse("-", "-d").positionals, ["-", "-d"]);
});

Deno.test("types follow from the table", () => {
  const { options } = parseOptions(table, []);
  const _text: string | undefined = options.bundle;
  const _flag: boolean = options.detach;
  const _count: number | undefined = options["preserve-fds"];
  const _list: readonly string[] = options.env;
  const _choice: "json" | "table" | undefined = options.format;
  // @ts-expect-error: a choice is only one of its words
  const _wrong: "xml" | undefined = options.format;
  // @ts-expect-error: not in the table
  options.nope;
});
