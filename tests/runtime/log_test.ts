import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Log, type LogOptions } from "../../runtime/log.ts";

function temporaryFile(): string {
  const file = Deno.makeTempFileSync();
  globalThis.addEventListener("unload", () => Deno.removeSync(file));
  return file;
}

/** A log to a file (unless `file` is false), and what it has written so far. */
function openLog(options: LogOptions & { toFile: boolean }) {
  let stderr = "";
  const log = new Log((text) => stderr += text);
  const file = options.toFile ? temporaryFile() : undefined;
  log.open({ ...options, file });
  return {
    log,
    stderr: () => stderr,
    file: () => (file === undefined ? "" : Deno.readTextFileSync(file)).replaceAll(TIME, "TIME"),
  };
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

Deno.test("a failed command leaves one JSON object, keys in logrus's order, and the text on stderr", () => {
  const { log, file, stderr } = openLog({ toFile: true, format: "json" });
  log.error('exec: "foo": executable file not found in $PATH');
  log.flush();
  assertEquals(
    file(),
    '{"level":"error","msg":"exec: \\"foo\\": executable file not found in $PATH","time":"TIME"}\n',
  );
  assertEquals(stderr(), 'hako: exec: "foo": executable file not found in $PATH\n');
});

Deno.test("warnings before a failure go into its object, so that the file stays one object", () => {
  const { log, file, stderr } = openLog({ toFile: true, format: "json" });
  log.warn("linux.resources is ignored");
  assertEquals(file(), "");
  log.error("mount: permission denied", { errno: "EACCES" });
  assertEquals(
    file(),
    '{"level":"error","msg":"mount: permission denied","time":"TIME","errno":"EACCES",' +
      '"warnings":["linux.resources is ignored"]}\n',
  );
  assertEquals(JSON.parse(file()).level, "error");
  assertEquals(stderr(), "hako: mount: permission denied\n");
});

Deno.test("after a success the warnings are in the file, each on its line, and stderr is clean", () => {
  const { log, file, stderr } = openLog({ toFile: true, format: "json" });
  log.warn("one");
  log.warn("two");
  log.flush();
  log.flush();
  assertEquals(
    file(),
    '{"level":"warning","msg":"one","time":"TIME"}\n{"level":"warning","msg":"two","time":"TIME"}\n',
  );
  assertEquals(stderr(), "");
});

Deno.test("a text file is logrus's text, written at once", () => {
  const { log, file } = openLog({ toFile: true });
  log.warn('a "quoted" word');
  assertEquals(file(), 'time="TIME" level=warning msg="a \\"quoted\\" word"\n');
  log.error("failed", { config: "/mounts/1" });
  assertMatch(file(), /\ntime="TIME" level=error msg="failed" config="\/mounts\/1"\n$/);
});

Deno.test("without a file warnings are on stderr at once, and the error once", () => {
  const { log, stderr } = openLog({ toFile: false });
  log.warn("careful");
  assertEquals(stderr(), "hako: warning: careful\n");
  log.error("failed");
  log.flush();
  assertEquals(stderr(), "hako: warning: careful\nhako: failed\n");
});

Deno.test("stderr speaks JSON if asked to", () => {
  const { log, stderr } = openLog({ toFile: false, format: "json" });
  log.error("failed");
  assertEquals(stderr().replaceAll(TIME, "TIME"), '{"level":"error","msg":"failed","time":"TIME"}\n');
});

Deno.test("levels: warnings by default, everything with debug, errors always", () => {
  const levels = [undefined, "debug", "error"] as const;
  const written = levels.map((level) => {
    const { log, stderr } = openLog({ toFile: false, level });
    log.debug("d");
    log.warn("w");
    log.error("e");
    return stderr();
  });
  assertEquals(written, [
    "hako: warning: w\nhako: e\n",
    "hako: debug: d\nhako: warning: w\nhako: e\n",
    "hako: e\n",
  ]);
});

Deno.test("debug holds nothing back: a command that hangs has said how far it came", () => {
  const { log, file } = openLog({ toFile: true, format: "json", level: "debug" });
  log.debug("spawned");
  assertEquals(file(), '{"level":"debug","msg":"spawned","time":"TIME"}\n');
});

Deno.test("the file is appended to", () => {
  const path = temporaryFile();
  for (const message of ["first", "second"]) {
    const log = new Log(() => {});
    log.open({ file: path });
    log.error(message);
  }
  assertMatch(Deno.readTextFileSync(path), /first.*\n.*second"\n$/);
});

Deno.test("a file that cannot be opened is an error at once", () => {
  assertThrows(() => new Log().open({ file: "/proc/nonexistent/log" }), Deno.errors.NotFound);
});

for (const format of ["text", "json"] as const) {
  Deno.test(`a daemon gets each ${format} line at once, and stderr the error alone`, () => {
    let stderr = "";
    const sent: [level: string, text: string][] = [];
    const log = new Log((text) => stderr += text);
    log.open({ send: (level, text) => sent.push([level, text.replace(TIME, "TIME")]), format });
    log.debug("d");
    log.warn("w");
    assertEquals(sent.length, 1);
    log.error("e", { config: "/root" });
    log.flush();
    assertEquals(
      sent,
      format === "text" ? [["warning", "w"], ["error", "e"]] : [
        ["warning", '{"level":"warning","msg":"w","time":"TIME"}'],
        ["error", '{"level":"error","msg":"e","time":"TIME","config":"/root"}'],
      ],
    );
    assertEquals(stderr, "hako: e\n");
  });
}
