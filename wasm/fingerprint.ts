// Of bpf-compiler, by wasm/build.ts. Do not edit.

/** The same for two compilers only if they make the same program of a policy. */
export const COMPILER = "97b2a9886af004b237266464f54aeb18";
