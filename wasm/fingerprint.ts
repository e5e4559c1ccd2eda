// Of bpf-compiler, by wasm/build.ts. Do not edit.

/** The same for two compilers only if they make the same program of a policy. */
export const COMPILER = "5730ad52dee515a7f0cd03c767138bf1";
