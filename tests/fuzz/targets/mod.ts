/** All targets, by their names. @module */
import type { Target } from "../target.ts";
import { commandLines } from "./command_lines.ts";
import { hostFiles } from "./host_files.ts";
import { documents } from "./documents.ts";

export const targets: Readonly<Record<string, Target>> = { ...documents, ...hostFiles, ...commandLines };
