/**
 * Which addresses call-backs may use. Setting a URL must not give access to services that only this server can reach
 * (server-side request forgery): loopback, link-local, private and other special networks (RFC 6890) are refused unless a
 * setting allows them.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

const FORBIDDEN_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** Everything except the global unicast addresses 2000::/3, and the special networks within them. */
const FORBIDDEN_V6 = [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const;

/** The IPv4 address inside an IPv6 one: mapped (RFC 4291) or translated (RFC 6052). */
const EMBEDDED = [/^::ffff:(?:0:)?([0-9a-f.:]+)$/i, /^64:ff9b::([0-9a-f.:]+)$/i];

export type AddressGuard = (address: string) => boolean;

/** The text is not a network in CIDR notation. */
export class BadNetwork extends Error {
  override readonly name = 'BadNetwork';
}

/**
 * @param allowed special networks that may be called, e.g. `10.1.0.0/16`
 * @returns a function that decides whether an IP address may be called
 * @throws BadNetwork
 */
export function addressGuard(allowed: readonly string[]): AddressGuard {
  // One list per family: a list of IPv6 networks would also match IPv4 addresses, as mapped ones.
  const forbidden = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const [network, bits] of FORBIDDEN_V4) forbidden.ipv4.addSubnet(network, bits, 'ipv4');
  for (const [network, bits] of FORBIDDEN_V6) forbidden.ipv6.addSubnet(network, bits, 'ipv6');
  const exempt = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of allowed) addNetwork(exempt, text);
  return (text) => {
    const address = plain(text);
    if (isIP(address) === 0) return false;
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    return exempt[family].check(address, family) || !forbidden[family].check(address, family);
  };
}

function addNetwork(lists: Record<'ipv4' | 'ipv6', BlockList>, text: string): void {
  const [, network = '', bits = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(network);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) {
    throw new BadNetwork(`'${text}' is not a network such as 10.1.0.0/16 or fd00::/8`);
  }
  const name = family === 4 ? 'ipv4' : 'ipv6';
  lists[name].addSubnet(network, Number(bits), name);
}

/** Without brackets and zone; an IPv4 address embedded in an IPv6 one as the plain IPv4 address. */
function plain(text: string): string {
  const address = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!isIPv6(address)) return address;
  // The URL parser converts an IPv6 address to its canonical form (RFC 5952, except for dots).
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  for (const pattern of EMBEDDED) {
    const inner = pattern.exec(canonical)?.[1];
    if (inner === undefined) continue;
    if (isIP(inner) === 4) return inner;
    const groups = inner.split(':').map((group) => Number.parseInt(group || '0', 16));
    const [high = 0, low = 0] = groups.length === 1 ? [0, groups[0]] : groups;
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  return address;
}
