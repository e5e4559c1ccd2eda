/** What the controllers of both versions have in common. @module */
import { ConfigError, type SyscallError } from "../runtime/errors.ts";
import { isErrno } from "../runtime/linux/libc.ts";
import type { Resources } from "../runtime/spec/resources.ts";
import { type Directory, pointerTo } from "./directory.ts";
import type { Stats } from "./stats.ts";

/** One file to be written. */
export interface Setting {
  readonly file: string;
  readonly value: string;
  /** The member of `/linux/resources` that asks for it: "/memory/limit". */
  readonly member: string;
  /** What to do where the kernel does not have the file. Without it that is an error. */
  readonly absent?: "ignore" | Setting;
}

/** One controller of one version: the part of `/linux/resources` that it is for, and its statistics. */
export interface Controller {
  /** As the kernel has it in cgroup.controllers or /proc/cgroups. */
  readonly name: string;
  /** The first member that it would have to set, or nothing if it has nothing to do. */
  asks(resources: Resources): string | undefined;
  set(directory: Directory, resources: Resources): void;
  /** @throws if the kernel would not refuse what it should: a part of `set` */
  check?(directory: Directory, resources: Resources): void;
  /** What `resources` have that this version of the controller cannot do, and that others send out of habit. */
  warnings(resources: Resources): string[];
  stats(directory: Directory, stats: Stats): void;
}

/** A controller that is set by writing to files. */
export interface FileController extends Controller {
  /** Pure: in the order in which they are written. */
  settings(resources: Resources): Setting[];
}

interface FileControllerOptions extends Partial<Omit<FileController, "set" | "asks">> {
  readonly name: string;
  /** What an errno means here. */
  explain?(directory: Directory, error: SyscallError): string | undefined;
}

export function fileController(options: FileControllerOptions): FileController {
  const { name, settings = () => [], check, explain, warnings = () => [], stats = () => {} } = options;
  return {
    name,
    settings,
    ...check && { check },
    warnings,
    stats,
    asks: (resources) => settings(resources)[0]?.member,
    set(directory, resources) {
      check?.(directory, resources);
      writeSettings(directory, settings(resources), (error) => explain?.(directory, error));
    },
  };
}

/**
 * The kernel compares some values with others: a quota with the period, memory with memory and swap. Which of them has to
 * come first depends on what was there before. So what is refused with EINVAL is tried again after the rest.
 */
export function writeSettings(
  directory: Directory,
  settings: readonly Setting[],
  explain: (error: SyscallError) => string | undefined = () => undefined,
): void {
  for (let pending = settings; pending.length > 0;) {
    const refused: { readonly setting: Setting; readonly error: SyscallError }[] = [];
    for (const setting of pending) {
      try {
        writeSetting(directory, setting);
      } catch (error) {
        if (!isErrno(error, "EINVAL")) throw explained(setting, error, explain);
        refused.push({ setting, error });
      }
    }
    const [first] = refused;
    if (first && refused.length === pending.length) throw explained(first.setting, first.error, explain);
    pending = refused.map(({ setting }) => setting);
  }
}

function explained(
  setting: Setting,
  error: unknown,
  explain: (error: SyscallError) => string | undefined,
): unknown {
  const reason = error instanceof Error && "errno" in error ? explain(error as SyscallError) : undefined;
  return reason === undefined ? error : new ConfigError(pointerTo(setting.member), reason);
}

function writeSetting(directory: Directory, setting: Setting): void {
  try {
    directory.write(setting.file, setting.value, setting.member);
  } catch (error) {
    if (setting.absent === undefined || !isErrno(error, "ENOENT")) throw error;
    if (setting.absent !== "ignore") writeSetting(directory, setting.absent);
  }
}
