// Of bpf-compiler, by wasm/build.ts. Do not edit.

/** The same for two compilers only if they make the same program of a policy. */
export const COMPILER = "d33971779ab43439dbe3fca13485c71f";
