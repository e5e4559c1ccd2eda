import {
  type Change,
  namespacesWithout,
  testAccepted,
  testRefused,
  WITHOUT_USER_NAMESPACE,
} from "./cases.ts";

testRefused("linux", [
  [{ "/linux": "a" }, "/linux", "must be an object"],
  [{ "/linux/cgroupsPath": 1 }, "/linux/cgroupsPath", "must be a string"],
  [{ "/linux/cgroupsPath": "/a\0" }, "/linux/cgroupsPath", "NUL"],
  [{ "/linux/mountLabel": [] }, "/linux/mountLabel", "must be a string"],
  [
    { "/linux/rootfsPropagation": "Shared" },
    "/linux/rootfsPropagation",
    'must be one of "shared", "slave"',
  ],
  [{ "/linux/rootfsPropagation": ["shared"] }, "/linux/rootfsPropagation", "must be one of"],
]);

testAccepted(
  "rootfsPropagation",
  ["", "shared", "slave", "private", "unbindable", "runbindable", "rshared", "rslave", "rprivate"]
    .map((value) => ({ "/linux/rootfsPropagation": value })),
);

testRefused("namespaces", [
  [{ "/linux/namespaces": [{}] }, "/linux/namespaces/0/type", "is missing"],
  [
    { "/linux/namespaces": [{ type: "net" }] },
    "/linux/namespaces/0/type",
    'must be one of "pid", "network", "mount"',
  ],
  [{ "/linux/namespaces": [{ type: ["pid"] }] }, "/linux/namespaces/0/type", 'not ["pid"]'],
  [
    { "/linux/namespaces": [{ type: "pid", path: "a" }] },
    "/linux/namespaces/0/path",
    "must be an absolute path",
  ],
  [
    { "/linux/namespaces": [{ type: "pid" }, { type: "ipc" }, { type: "pid", path: "/a" }] },
    "/linux/namespaces/2/type",
    'must not be listed twice: "pid"',
  ],
]);

const mappings = (...items: [containerID: unknown, hostID: unknown, size: unknown][]): Change => ({
  "/linux/uidMappings": items.map(([containerID, hostID, size]) => ({ containerID, hostID, size })),
});

testRefused("id mappings", [
  [{ "/linux/uidMappings": [{ containerID: 0, hostID: 0 }] }, "/linux/uidMappings/0/size", "is missing"],
  [{ "/linux/gidMappings": [{ containerID: 0, size: 1 }] }, "/linux/gidMappings/0/hostID", "is missing"],
  [{ "/linux/gidMappings": [{ hostID: 0, size: 1 }] }, "/linux/gidMappings/0/containerID", "is missing"],
  [mappings([0, 0, 0]), "/linux/uidMappings/0/size", "from 1 to 4294967295, not 0"],
  [mappings([-1, 0, 1]), "/linux/uidMappings/0/containerID", "from 0 to 4294967295"],
  [mappings([0, 2 ** 32, 1]), "/linux/uidMappings/0/hostID", "from 0 to 4294967295"],
  [mappings([0, 0, "1"]), "/linux/uidMappings/0/size", 'not "1"'],
  [mappings([1, 0, 2 ** 32 - 1]), "/linux/uidMappings/0/size", "must not lead beyond id 4294967294 from 1"],
  [mappings([0, 1, 2 ** 32 - 1]), "/linux/uidMappings/0/size", "must not lead beyond id 4294967294 from 1"],
  [mappings([0, 10, 5], [4, 20, 1]), "/linux/uidMappings/1/containerID", "must not overlap item 0"],
  [mappings([0, 10, 5], [5, 9, 2]), "/linux/uidMappings/1/hostID", "must not overlap item 0"],
  [mappings([0, 10, 1], [1, 20, 1], [2, 20, 1]), "/linux/uidMappings/2/hostID", "must not overlap item 1"],
  [{ "/linux/namespaces": namespacesWithout("user") }, "/linux/uidMappings", 'needs a "user" namespace'],
  [
    { "/linux/namespaces": namespacesWithout("user"), "/linux/uidMappings": [] },
    "/linux/gidMappings",
    'needs a "user" namespace',
  ],
  [
    { "/linux/uidMappings": undefined },
    "/linux/uidMappings",
    'must not be empty with a new "user" namespace',
  ],
  [{ "/linux/gidMappings": [] }, "/linux/gidMappings", 'must not be empty with a new "user" namespace'],
]);

const JOINED_USER_NAMESPACE = [...namespacesWithout("user"), { type: "user", path: "/proc/1/ns/user" }];

testAccepted("id mappings", [
  WITHOUT_USER_NAMESPACE,
  mappings([0, 0, 2 ** 32 - 1]),
  mappings([0, 100000, 65536], [65536, 1000, 1], [65537, 165536, 10]),
  { "/linux/namespaces": JOINED_USER_NAMESPACE },
  {
    "/linux/namespaces": JOINED_USER_NAMESPACE,
    "/linux/uidMappings": undefined,
    "/linux/gidMappings": undefined,
  },
]);

const NEEDS_TIME = 'needs a new "time" namespace in /linux/namespaces';

testRefused("timeOffsets", [
  [
    { "/linux/timeOffsets/realtime": { secs: 1 } },
    "/linux/timeOffsets/realtime",
    'one of "monotonic", "boottime"',
  ],
  [{ "/linux/timeOffsets/monotonic": 1 }, "/linux/timeOffsets/monotonic", "must be an object"],
  [{ "/linux/timeOffsets/monotonic": { secs: 1.5 } }, "/linux/timeOffsets/monotonic/secs", "an integer"],
  [
    { "/linux/timeOffsets/boottime": { nanosecs: 1e9 } },
    "/linux/timeOffsets/boottime/nanosecs",
    "to 999999999",
  ],
  [{ "/linux/timeOffsets/boottime": { nanosecs: -1 } }, "/linux/timeOffsets/boottime/nanosecs", "from 0"],
  [
    { "/linux/timeOffsets/boottime": {}, "/linux/namespaces": namespacesWithout("time") },
    "/linux/timeOffsets/boottime",
    NEEDS_TIME,
  ],
  [
    {
      "/linux/timeOffsets/monotonic": { secs: 1 },
      "/linux/namespaces": [...namespacesWithout("time"), { type: "time", path: "/a" }],
    },
    "/linux/timeOffsets/monotonic",
    NEEDS_TIME,
  ],
]);

testAccepted("timeOffsets", [
  { "/linux/timeOffsets": { monotonic: { secs: -1, nanosecs: 999999999 }, boottime: { secs: 2n ** 62n } } },
  { "/linux/timeOffsets": {}, "/linux/namespaces": namespacesWithout("time") },
]);

const sysctl = (key: string, ...missing: string[]): Change => ({
  ...(missing.includes("user") ? WITHOUT_USER_NAMESPACE : {}),
  "/linux/namespaces": namespacesWithout(...missing),
  "/linux/sysctl": { [key]: "1" },
});

testRefused("sysctl", [
  [{ "/linux/sysctl": [] }, "/linux/sysctl", "must be an object"],
  [
    { "/linux/sysctl": { "net.core.somaxconn": 1 } },
    "/linux/sysctl/net.core.somaxconn",
    "must be a string, not 1",
  ],
  [{ "/linux/sysctl": { "net.core.somaxconn": "1\0" } }, "/linux/sysctl/net.core.somaxconn", "NUL"],
  [sysctl("kernel.hostname"), "/linux/sysctl/kernel.hostname", "conflicts with the member /hostname"],
  [sysctl("kernel/hostname"), "/linux/sysctl/kernel~1hostname", "conflicts with the member /hostname"],
  [sysctl("kernel.domainname", "uts"), "/linux/sysctl/kernel.domainname", 'needs a "uts" namespace'],
  [sysctl("kernel.shmmax", "ipc"), "/linux/sysctl/kernel.shmmax", 'needs a "ipc" namespace'],
  [sysctl("kernel/shmmax", "ipc"), "/linux/sysctl/kernel~1shmmax", 'needs a "ipc" namespace'],
  [sysctl("fs.mqueue.msg_max", "ipc"), "/linux/sysctl/fs.mqueue.msg_max", 'needs a "ipc" namespace'],
  [
    sysctl("net.ipv4.ip_forward", "network"),
    "/linux/sysctl/net.ipv4.ip_forward",
    'needs a "network" namespace',
  ],
  [
    sysctl("user.max_user_namespaces", "user"),
    "/linux/sysctl/user.max_user_namespaces",
    'needs a "user" namespace',
  ],
  ...[
    "vm.swappiness",
    "kernel.core_pattern",
    "fs.file-max",
    "fs.mqueue",
    "net",
    "netx.a",
    "",
    "a",
  ].map((key) => [sysctl(key), `/linux/sysctl/${key}`, "is not in a separate kernel namespace"] as const),
  // Nothing may lead out of the namespace's directory in /proc/sys.
  [
    sysctl("net/../kernel/core_pattern"),
    "/linux/sysctl/net~1..~1kernel~1core_pattern",
    "is not in a separate",
  ],
  [
    sysctl("net.//.kernel.core_pattern"),
    "/linux/sysctl/net.~1~1.kernel.core_pattern",
    "is not in a separate",
  ],
  [sysctl("net..ipv4"), "/linux/sysctl/net..ipv4", "is not in a separate"],
  [sysctl("net/./a"), "/linux/sysctl/net~1.~1a", "is not in a separate"],
]);

testAccepted("sysctl", [
  { "/linux/sysctl": null },
  { "/linux/sysctl": {}, "/linux/namespaces": [], "/linux/uidMappings": [], "/linux/gidMappings": [] },
  ...["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced", "domainname"]
    .map((name) => sysctl(`kernel.${name}`)),
  sysctl("fs.mqueue.msg_max"),
  sysctl("fs/mqueue/msg_max"),
  sysctl("net.ipv4.conf.eno2/100.rp_filter"),
  sysctl("net/ipv4/conf/eno2.100/rp_filter"),
  sysctl("user.max_net_namespaces"),
]);

testRefused("maskedPaths and readonlyPaths", [
  [{ "/linux/maskedPaths": ["/a", "b"] }, "/linux/maskedPaths/1", 'must be an absolute path, not "b"'],
  [{ "/linux/readonlyPaths": [""] }, "/linux/readonlyPaths/0", "must be an absolute path"],
  [
    { "/linux/maskedPaths": ["/a"], "/linux/namespaces": namespacesWithout("mount") },
    "/linux/maskedPaths",
    'needs a "mount" namespace',
  ],
  [
    { "/linux/readonlyPaths": ["/a"], "/linux/namespaces": namespacesWithout("mount") },
    "/linux/readonlyPaths",
    'needs a "mount" namespace',
  ],
]);

testAccepted("maskedPaths and readonlyPaths", [
  { "/linux/maskedPaths": [], "/linux/readonlyPaths": [], "/linux/namespaces": namespacesWithout("mount") },
]);

const NULL_DEVICE = { path: "/dev/null", type: "c", major: 1, minor: 3 };
const device = (change: Record<string, unknown>): Change => ({
  "/linux/devices": [{ ...NULL_DEVICE, ...change }],
});

testRefused("devices", [
  [device({ path: undefined }), "/linux/devices/0/path", "is missing"],
  [device({ path: "null" }), "/linux/devices/0/path", "must be an absolute path"],
  [device({ type: undefined }), "/linux/devices/0/type", "is missing"],
  [device({ type: "a" }), "/linux/devices/0/type", 'must be one of "b", "c", "u", "p", not "a"'],
  [device({ major: undefined }), "/linux/devices/0/major", 'is missing, and needed for type "c"'],
  [device({ type: "b", minor: null }), "/linux/devices/0/minor", 'is missing, and needed for type "b"'],
  [device({ type: "u", minor: undefined }), "/linux/devices/0/minor", 'is missing, and needed for type "u"'],
  [device({ major: 4096 }), "/linux/devices/0/major", "from 0 to 4095"],
  [device({ minor: -1 }), "/linux/devices/0/minor", "from 0 to 1048575"],
  [device({ fileMode: -1 }), "/linux/devices/0/fileMode", "an integer"],
  [device({ fileMode: "0666" }), "/linux/devices/0/fileMode", 'not "0666"'],
  [device({ uid: 4294967295 }), "/linux/devices/0/uid", "from 0 to 4294967294"],
  [device({ gid: -1 }), "/linux/devices/0/gid", "from 0 to 4294967294"],
  [
    { "/linux/devices": [NULL_DEVICE, { ...NULL_DEVICE, minor: 5 }] },
    "/linux/devices/1/path",
    'must not be of two devices, not "/dev/null"',
  ],
]);

testAccepted("devices", [
  device({ fileMode: 0o20666, uid: 0, gid: 5 }),
  device({ type: "p", major: undefined, minor: undefined }),
  { "/linux/devices": [NULL_DEVICE, { ...NULL_DEVICE, fileMode: 0o600 }, { ...NULL_DEVICE, type: "u" }] },
]);

const NETWORK_NAME = "must be a network interface name";

testRefused("netDevices", [
  [{ "/linux/netDevices": [] }, "/linux/netDevices", "must be an object"],
  [{ "/linux/netDevices": { eth0: "a" } }, "/linux/netDevices/eth0", "must be an object"],
  ...["", ".", "..", "a b", "a:b", "a\tb", "sixteen-bytes-xx", "éééééééé"].map((name) =>
    [{ "/linux/netDevices": { [name]: {} } }, `/linux/netDevices/${name}`, NETWORK_NAME] as const
  ),
  [{ "/linux/netDevices": { "a/b": {} } }, "/linux/netDevices/a~1b", NETWORK_NAME],
  [{ "/linux/netDevices": { eth0: { name: "a/b" } } }, "/linux/netDevices/eth0/name", NETWORK_NAME],
  [
    { "/linux/netDevices": { eth0: {} }, "/linux/namespaces": namespacesWithout("network") },
    "/linux/netDevices/eth0",
    'needs a "network" namespace',
  ],
]);

testAccepted("netDevices", [
  { "/linux/netDevices": { eth0: {}, "fifteen-bytes-x": { name: "net%d" }, eth1: { name: "" } } },
]);

testRefused("intelRdt", [
  ...["a/b", "/a", ".", ".."].map((name) =>
    [{ "/linux/intelRdt/closID": name }, "/linux/intelRdt/closID", 'must be "/" or a file name'] as const
  ),
  [{ "/linux/intelRdt/schemata": ["a", "b\nc"] }, "/linux/intelRdt/schemata/1", "must be one line"],
  [{ "/linux/intelRdt/l3CacheSchema": 1 }, "/linux/intelRdt/l3CacheSchema", "must be a string"],
  [{ "/linux/intelRdt/memBwSchema": "L3:0=1" }, "/linux/intelRdt/memBwSchema", 'starts with "MB:"'],
  [{ "/linux/intelRdt/memBwSchema": "MB:0=1\nL3:0=1" }, "/linux/intelRdt/memBwSchema", "must be one line"],
  [{ "/linux/intelRdt/enableMonitoring": 1 }, "/linux/intelRdt/enableMonitoring", "must be true or false"],
]);

testAccepted("intelRdt", [
  { "/linux/intelRdt": {} },
  {
    "/linux/intelRdt": { closID: "/", schemata: ["L3:0=f"], l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=20" },
  },
  { "/linux/intelRdt": { closID: "guaranteed_group", memBwSchema: "", enableMonitoring: true } },
]);

const policy = (mode: string, nodes?: unknown, flags?: unknown): Change => ({
  "/linux/memoryPolicy": { mode, nodes, flags },
});

testRefused("memoryPolicy", [
  [{ "/linux/memoryPolicy": {} }, "/linux/memoryPolicy/mode", "is missing"],
  [policy("MPOL_X"), "/linux/memoryPolicy/mode", 'must be one of "MPOL_DEFAULT"'],
  [policy("MPOL_BIND", "a"), "/linux/memoryPolicy/nodes", 'must be a list of NUMA nodes as "0-1,3", not "a"'],
  [policy("MPOL_BIND", "0-99999999"), "/linux/memoryPolicy/nodes", "must be a list of NUMA nodes"],
  [policy("MPOL_DEFAULT", "0"), "/linux/memoryPolicy/nodes", "must be absent with MPOL_DEFAULT"],
  [policy("MPOL_LOCAL", "0"), "/linux/memoryPolicy/nodes", "must be absent with MPOL_LOCAL"],
  ...["MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY"].map((mode) =>
    [policy(mode, ""), "/linux/memoryPolicy/nodes", `must name at least one node with ${mode}`] as const
  ),
  [policy("MPOL_BIND", "0", ["A"]), "/linux/memoryPolicy/flags/0", 'must be one of "MPOL_F_NUMA_BALANCING"'],
]);

testAccepted("memoryPolicy", [
  policy("MPOL_DEFAULT"),
  policy("MPOL_LOCAL", ""),
  policy("MPOL_PREFERRED"),
  policy("MPOL_PREFERRED", "1"),
  policy("MPOL_INTERLEAVE", "0-1,3", ["MPOL_F_STATIC_NODES"]),
]);

testRefused("personality", [
  [{ "/linux/personality": {} }, "/linux/personality/domain", "is missing"],
  [{ "/linux/personality/domain": "BSD" }, "/linux/personality/domain", 'must be one of "LINUX", "LINUX32"'],
  [
    { "/linux/personality": { domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"] } },
    "/linux/personality/flags/0",
    'must be absent: none is defined, not "ADDR_NO_RANDOMIZE"',
  ],
]);

testAccepted("personality", [{ "/linux/personality": { domain: "LINUX32", flags: [] } }]);
