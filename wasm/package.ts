/**
 * The compiler with all that belongs to it, ready to use: what the npm package exports.
 *
 * @module
 */

export * from "./mod.ts";
export * from "../bpf-compiler/mod.ts";
