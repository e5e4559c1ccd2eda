// Of bpf-compiler, by wasm/build.ts. Do not edit.

/** The same for two compilers only if they make the same program of a policy. */
export const COMPILER = "ac913956f4efecf6218af3aef8634246";
