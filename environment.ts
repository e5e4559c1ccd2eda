/**
 * The variables of the caller's that the first line of `dist/hako` unsets, because Deno would obey them: run other code,
 * other V8 options, connect to somebody, write files, do something else than run Hako. There may be more of them than the
 * caller knows: a service manager, an engine, `sudo -E` and a shell's profile all pass on what they have.
 *
 * Left as they are: what is another program's as well and nothing to Hako, which has no TLS, no proxy, no registry and no
 * module of `node:` (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, HTTPS_PROXY, NPM_CONFIG_REGISTRY, NODE_DEBUG); what adds words to
 * stderr (DENO_LOG, RUST_BACKTRACE); and the dynamic linker's and libc's (LD_PRELOAD, GCONV_PATH, MALLOC_PERTURB_), which
 * the shell has obeyed before it reads a line, and which do not survive a set-uid program such as sudo: ld.so(8).
 *
 * @see `integration/install/environment_test.ts`, which looks for their names in Deno's executable
 * @module
 */

/** All of these whether `deno run` reads them or not: its other commands read some, and a later Deno may. */
const DENO = [
  ...[
    "AUDIT_PERMISSIONS",
    "AUTH_TOKENS",
    "AUTO_SERVE",
    "CACHE_DB_MODE",
    "CACHE_LSC_ENDPOINT",
    "CERT",
    "COMPAT",
  ],
  ...["CONDITIONS", "CONNECTED", "COVERAGE_DIR", "CRON_TEST_SCHEDULE_OFFSET", "DEPLOY_APP"],
  ...["DEPLOY_CLI_SANDBOX", "DEPLOY_CLI_SPECIFIER", "DEPLOY_ORG", "DEPLOY_TOKEN", "DEPLOY_TUNNEL_ENDPOINT"],
  ...["DESKTOP_DEV_URL", "DESKTOP_FRAMEWORK_DEV", "DESKTOP_HMR", "DESKTOP_INSPECT_BRK"],
  ...["DESKTOP_INSPECT_INTERNAL_PORT", "DESKTOP_INSPECT_WAIT", "DESKTOP_MUX_WS", "DISABLE_OFFSCREEN_CANVAS"],
  ...["DISABLE_VERBATIM_MODULE_SYNTAX", "DOC_SEARCH_INDEX", "DONT_USE_INTERNAL_BASE_UPGRADE_URL"],
  ...["DONT_USE_INTERNAL_NODE_COMPAT_STATE_FD", "EMIT_CACHE_MODE", "EXTRA_STDIO_FDS", "INSTALL_ARCH"],
  ...["INSTALL_ROOT", "INTERNAL_CHILD_ENTRYPOINT", "INTERNAL_DIAGNOSTIC_BATCH_NOTIFICATIONS"],
  ...["INTERNAL_FAST_CHECK_OVERWRITE", "INTERNAL_IS_LIFECYCLE_SCRIPT"],
  ...[
    "INTERNAL_NODE_TEST_FORCE_SHARED_OPENSSL",
    "INTERNAL_NPM_CMD_NAME",
    "INTERNAL_TASK_USE_PKG_JSON",
    "JOBS",
  ],
  ...[
    "KV_ACCESS_TOKEN",
    "KV_DB_MODE",
    "KV_DEFAULT_PATH",
    "KV_PATH_PREFIX",
    "KV_REQUIRES_DISTRIBUTED_DATABASE",
  ],
  ...["LOG_LAZY_LOAD", "LSP_IDLE_MEMORY_RELEASE_MS", "LSP_TRACE", "NODE_SHIM_ACTIVE"],
  ...[
    "NODE_TRACE_EVENT_CATEGORIES",
    "NODE_USE_OPENSSL_CA",
    "NO_FILTER_FRAMES",
    "NO_PACKAGE_JSON",
    "NO_PROMPT",
  ],
  ...["PATCH_REACT_CVE", "PERMISSION_BROKER_PATH", "REPL_HISTORY", "SERVE_ADDRESS"],
  ...["SERVE_AUTOMATIC_COMPRESSION", "SLOW_TEST_TIMEOUT", "SNAPSHOT_IMPORT_GRAPH", "STARTUP_PHASES"],
  ...["TESTING_DISABLE_GIT_CHECK", "TESTING_UPGRADE", "TEST_JUPYTER_PATH", "TEST_SANITIZE_OPS"],
  ...["TEST_SANITIZE_RESOURCES", "TLS_CA_STORE", "TOKIO_EVENT_INTERVAL", "TOKIO_GLOBAL_QUEUE_INTERVAL"],
  ...["TOKIO_MAX_IO_EVENTS_PER_TICK", "TOKIO_METRICS", "TOKIO_METRICS_INTERVAL", "TRACE_PERMISSIONS"],
  ...["TRUST_PROXY_HEADERS", "TSC_BIN", "TSC_DEBUG", "UNSTABLE_BARE_NODE_BUILTINS", "UNSTABLE_CONTROL_SOCK"],
  ...["UNSTABLE_CRON_SOCK", "UNSTABLE_FFI_TRACE_TURBO", "UNSTABLE_LAZY_DYNAMIC_IMPORTS"],
  ...["UNSTABLE_LOCKFILE_V5", "UNSTABLE_NPM_LAZY_CACHING", "UNSTABLE_OTEL_DETERMINISTIC"],
  ...["UNSTABLE_RAW_IMPORTS", "UNSTABLE_SLOPPY_IMPORTS", "UNSTABLE_SUBDOMAIN_WILDCARDS", "UNSTABLE_TSGO"],
  ...["USE_CGROUPS", "USE_WRITEV", "USR2_MEMORY_TRIM", "V8_FLAGS", "WEBGPU_BACKEND", "WEBGPU_DX12_COMPILER"],
  ...["WEBGPU_TRACE"],
];

/** To be unset before Deno starts. */
export const FORGOTTEN: readonly string[] = [
  ...DENO.map((name) => `DENO_${name}`),
  // `--require FILE` runs it, before Hako and with its rights.
  "NODE_OPTIONS",
  // A descriptor on which to take orders as a child of Node's.
  "NODE_CHANNEL_FD",
  "NODE_CHANNEL_SERIALIZATION_MODE",
  // Telemetry, to the network.
  "OTEL_DENO",
  "OTEL_DENO_CONSOLE",
  "OTEL_DENO_METRICS",
  "OTEL_DENO_TRACING",
  "OTEL_DENO_VSOCK",
  // It is created even where there is no TLS.
  "SSLKEYLOGFILE",
  // To be completed by Deno, like a line in a shell.
  "COMPLETE",
];
