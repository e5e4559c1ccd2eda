import { assertEquals } from "@std/assert";
import { resolveInRoot } from "../../../runtime/host/targets.ts";

/** An image with links of all kinds. */
function withImage(fn: (rootfs: string) => void): void {
  const rootfs = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${rootfs}/usr/lib`, { recursive: true });
    Deno.chmodSync(`${rootfs}/usr`, 0o750);
    Deno.chmodSync(`${rootfs}/usr/lib`, 0o755);
    Deno.writeTextFileSync(`${rootfs}/usr/file`, "", { mode: 0o640 });
    const links = {
      lib: "usr/lib",
      up: "../../../usr",
      absolute: "/usr",
      dangling: "/run/resolve/conf",
      loop: "loop",
      "usr/back": "../absolute/lib",
    };
    for (const [name, to] of Object.entries(links)) Deno.symlinkSync(to, `${rootfs}/${name}`);
    fn(rootfs);
  } finally {
    Deno.removeSync(rootfs, { recursive: true });
  }
}

const CASES: Readonly<Record<string, string>> = {
  "/usr": "directory /usr 750",
  "/usr/file": "file /usr/file 640",
  "/usr//./lib/": "directory /usr/lib 755",
  "/lib": "directory /usr/lib 755",
  "/up/file": "file /usr/file 640",
  "/absolute/back": "directory /usr/lib 755",
  "/lib/../file": "file /usr/file 640",
  "/usr/../../../usr": "directory /usr 750",
  "/usr/lib/..": "directory /usr 750",
  "/usr/..": "directory / 700",
  "/dangling": "missing /run/resolve/conf",
  "/dangling/below": "missing /run/resolve/conf/below",
  "/none/usr": "missing /none/usr",
  "/none/../usr": "directory /usr 750",
  "/usr/file/below": "missing /usr/file/below",
  "/loop": "file /loop 777",
};

for (const [path, expected] of Object.entries(CASES)) {
  Deno.test(`the target ${path} is ${expected}`, () =>
    withImage((rootfs) => {
      const { type, path: resolved, mode } = resolveInRoot(rootfs, path);
      const text = `${type} ${resolved}${mode === undefined ? "" : ` ${mode.toString(8)}`}`;
      assertEquals(text, expected);
    }));
}
