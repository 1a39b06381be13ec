/** Where requests may go. Pure. */
import { PlainHttpForbidden, UnsafeAddress } from './failures.js';

/** As the URL parser writes hosts: IPv4 in four decimal parts, IPv6 in brackets, names in lower case. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export interface AddressOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly allowPlainHttp?: boolean | undefined;
}

/**
 * The base address before each path, without a trailing slash; a path in it, e.g. of a reverse proxy, is kept.
 *
 * @throws UnsafeAddress, also as PlainHttpForbidden, whose message never contains a password from the address; TypeError if it is not a URL
 */
export function baseAddress({ url, token, allowPlainHttp = false }: AddressOptions): string {
  const { protocol, hostname, username, password, search, hash, origin, pathname } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new UnsafeAddress(`${protocol} is not the address of an HTTP interface`);
  }
  const base = origin + pathname.replace(/\/+$/, '');
  if (username !== '' || password !== '') {
    throw new UnsafeAddress(`the address of ${base} must not contain a user name or password`);
  }
  if (search !== '' || hash !== '') {
    throw new UnsafeAddress(`the address ${base} must not contain ${search === '' ? '#' : '?'}`);
  }
  const isReadable = token !== undefined && protocol === 'http:' && !LOOPBACK.test(hostname);
  if (isReadable && !allowPlainHttp) {
    throw new PlainHttpForbidden(
      `no token is sent to ${base}: plain HTTP can be read on the way; use https, or allow plain HTTP where the link is protected otherwise`,
    );
  }
  return base;
}
