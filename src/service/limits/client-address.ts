/** The key by which connections and failed sign-ins are counted when only the client's address is known. Pure. */
import { isIPv6 } from 'node:net';

/** Of an IPv6 address, the network of one subscriber, who can use any of its addresses (RFC 6177). */
const IPV6_GROUPS = 4;

/**
 * @param address as a socket states it, e.g. `::ffff:192.0.2.7`
 * @returns an IPv4 address, the /64 network of an IPv6 address, or `unknown` for a socket that has closed
 */
export function clientAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(address)) return address;
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${groups.slice(0, IPV6_GROUPS).join(':')}::/64`;
}
