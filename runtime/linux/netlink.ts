/** Network interfaces, by route netlink. @see netlink(7), rtnetlink(7) @module */
import { SyscallError } from "../errors.ts";
import {
  AF_NETLINK,
  AT_FDCWD,
  CLONE_NEWNET,
  IFA_ADDRESS,
  IFA_BROADCAST,
  IFA_F_PERMANENT,
  IFA_FLAGS,
  IFA_LOCAL,
  IFF_UP,
  IFLA_IFNAME,
  IFLA_NET_NS_FD,
  NETLINK_ROUTE,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  O_CLOEXEC,
  O_RDONLY,
  RT_SCOPE_UNIVERSE,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  SOCK_CLOEXEC,
  SOCK_RAW,
} from "./generated/constants.ts";
import { close, openat2, read, write } from "./files.ts";
import { errnoInfo, syscall } from "./libc.ts";

/** An attribute: struct rtattr. */
interface Attribute {
  readonly type: number;
  readonly data: Uint8Array;
}

/** What a message is about, behind struct nlmsghdr: a fixed part, then attributes. */
interface Message {
  readonly type: number;
  readonly fixed: Uint8Array;
  readonly attributes: readonly Attribute[];
}

/** An address that was given to an interface to stay. */
export interface Address {
  readonly family: number;
  readonly prefix: number;
  readonly attributes: readonly Attribute[];
}

/** sizeof(struct nlmsghdr), of struct ifinfomsg and of struct ifaddrmsg */
const HEADER_BYTES = 16;
const LINK_BYTES = 16;
const ADDRESS_BYTES = 8;

/** More than the kernel puts into one answer: linux/netlink.h, NLMSG_GOODSIZE. */
const ANSWER_BYTES = 65536;

/** A socket of one network namespace, which stays that whatever we do later. */
export class RouteSocket {
  readonly #fd: number;

  /** @param namespace a descriptor of the network namespace; ours if absent */
  constructor(namespace?: number) {
    const open = () => opened = syscall("socket", [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE]);
    let opened: number | undefined;
    try {
      this.#fd = namespace === undefined ? open() : inNamespace(namespace, open);
    } catch (error) {
      // The way back failed.
      if (opened !== undefined) close(opened);
      throw error;
    }
  }

  close(): void {
    close(this.#fd);
  }

  /** @throws {SyscallError} ENODEV if there is none of this name */
  indexOf(name: string): number {
    const [link] = this.#request(RTM_GETLINK, 0, linkMessage(0), [nameAttribute(name)]);
    return new DataView(link!.fixed.buffer).getInt32(4, true);
  }

  /** Those with global scope that do not expire: what a person or a network manager has given it. */
  addressesOf(index: number): Address[] {
    return this.#request(RTM_GETADDR, NLM_F_DUMP, new Uint8Array(ADDRESS_BYTES), []).flatMap(
      ({ fixed, attributes }) => {
        const view = new DataView(fixed.buffer);
        const [family, prefix, shortFlags, scope] = fixed as unknown as [number, number, number, number];
        // IFA_FLAGS has them all; the byte is too small since Linux 3.14.
        const long = attributes.find(({ type }) => type === IFA_FLAGS)?.data;
        const flags = long === undefined ? shortFlags : new DataView(long.slice().buffer).getUint32(0, true);
        const stays = (flags & IFA_F_PERMANENT) !== 0 && scope === RT_SCOPE_UNIVERSE;
        if (view.getUint32(4, true) !== index || !stays) return [];
        const kept = attributes.filter(({ type }) => [IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST].includes(type));
        return [{ family, prefix, attributes: kept }];
      },
    );
  }

  addAddress(index: number, { family, prefix, attributes }: Address): void {
    const fixed = new Uint8Array(ADDRESS_BYTES);
    fixed.set([family, prefix, IFA_F_PERMANENT, RT_SCOPE_UNIVERSE]);
    new DataView(fixed.buffer).setUint32(4, index, true);
    this.#request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, fixed, attributes);
  }

  setUp(index: number, up: boolean): void {
    this.#request(RTM_NEWLINK, 0, linkMessage(index, { flags: up ? IFF_UP : 0, change: IFF_UP }), []);
  }

  /** Moves an interface, which loses its addresses, to the namespace of a descriptor, under a name of its own there. */
  move(index: number, namespace: number, name: string): void {
    const target = new Uint8Array(Uint32Array.of(namespace).buffer);
    const attributes = [nameAttribute(name), { type: IFLA_NET_NS_FD, data: target }];
    this.#request(RTM_NEWLINK, 0, linkMessage(index), attributes);
  }

  /** @returns the messages of the answer, without its end */
  #request(type: number, flags: number, fixed: Uint8Array, attributes: readonly Attribute[]): Message[] {
    write(this.#fd, encode(type, NLM_F_REQUEST | NLM_F_ACK | flags, fixed, attributes));
    const messages: Message[] = [];
    for (;;) {
      for (const message of decode(read(this.#fd, ANSWER_BYTES))) {
        if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
          messages.push(message);
          continue;
        }
        // struct nlmsgerr begins with the errno, negative; 0 is the acknowledgement.
        const errno = -new DataView(message.fixed.buffer).getInt32(0, true);
        if (message.type === NLMSG_ERROR && errno !== 0) throw new SyscallError("netlink", errnoInfo(errno));
        return messages;
      }
    }
  }
}

/** Runs `action` while this thread is in a network namespace: a thread may be, of whatever user namespace we have rights in. */
function inNamespace<T>(namespace: number, action: () => T): T {
  const ours = openat2(AT_FDCWD, "/proc/thread-self/ns/net", { flags: O_RDONLY | O_CLOEXEC });
  try {
    syscall("setns", [namespace, CLONE_NEWNET]);
    try {
      return action();
    } finally {
      syscall("setns", [ours, CLONE_NEWNET]);
    }
  } finally {
    close(ours);
  }
}

/** struct ifinfomsg */
function linkMessage(index: number, { flags = 0, change = 0 } = {}): Uint8Array {
  const fixed = new Uint8Array(LINK_BYTES);
  const view = new DataView(fixed.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return fixed;
}

function nameAttribute(name: string): Attribute {
  return { type: IFLA_IFNAME, data: new TextEncoder().encode(`${name}\0`) };
}

const aligned = (length: number) => (length + 3) & ~3;

function encode(
  type: number,
  flags: number,
  fixed: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array<ArrayBuffer> {
  const length = attributes.reduce(
    (sum, { data }) => sum + aligned(4 + data.length),
    HEADER_BYTES + fixed.length,
  );
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  bytes.set(fixed, HEADER_BYTES);
  let at = HEADER_BYTES + fixed.length;
  for (const { type, data } of attributes) {
    view.setUint16(at, 4 + data.length, true);
    view.setUint16(at + 2, type, true);
    bytes.set(data, at + 4);
    at += aligned(4 + data.length);
  }
  return bytes;
}

function decode(bytes: Uint8Array<ArrayBuffer>): Message[] {
  const messages: Message[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0; start + HEADER_BYTES <= bytes.length;) {
    const end = start + Math.max(view.getUint32(start, true), HEADER_BYTES);
    const type = view.getUint16(start + 4, true);
    const fixedBytes = type === RTM_NEWADDR ? ADDRESS_BYTES : type === RTM_NEWLINK ? LINK_BYTES : 4;
    const body = start + HEADER_BYTES;
    const attributes: Attribute[] = [];
    const hasAttributes = type === RTM_NEWADDR || type === RTM_NEWLINK;
    for (let at = body + fixedBytes; hasAttributes && at + 4 <= end;) {
      const length = view.getUint16(at, true);
      if (length < 4) break;
      attributes.push({ type: view.getUint16(at + 2, true), data: bytes.slice(at + 4, at + length) });
      at += aligned(length);
    }
    messages.push({ type, fixed: bytes.slice(body, body + fixedBytes), attributes });
    start = aligned(end);
  }
  return messages;
}
