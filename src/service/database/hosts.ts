/** The hosts in a database URL (libpq, sections 34.1.1.2 and 34.1.1.3), each as a separate URL. Pure. */

/** An unusable database URL; the message names the fault and never contains the password. */
export class BadDatabaseUrl extends Error {
  override readonly name = 'BadDatabaseUrl';
}

export interface DatabaseHost {
  /** e.g. `db1:5432` */
  readonly name: string;
  /** The URL with only this host. */
  readonly url: string;
}

export interface DatabaseTarget {
  readonly hosts: readonly [DatabaseHost, ...DatabaseHost[]];
  /** Whether a host counts only while it accepts writes. */
  readonly mustBeWritable: boolean;
}

const DEFAULT_PORT = 5432;
/** The values of libpq that we can use, as we write. */
const WRITABLE = new Set(['read-write', 'primary']);
const OF_LIBPQ = new Set(['any', ...WRITABLE, 'read-only', 'standby', 'prefer-standby']);

/**
 * Parses `postgres://user:password@a:5432,b:5433/otaops?target_session_attrs=read-write`. The default is `read-write`
 * with several hosts, `any` with one.
 *
 * @throws BadDatabaseUrl
 */
export function databaseTarget(url: string): DatabaseTarget {
  const parts = /^(postgres(?:ql)?:\/\/)((?:[^/?#]*@)?)([^/?#@]*)(\/[^?#]*)?(\?[^#]*)?$/.exec(url);
  if (!parts) throw new BadDatabaseUrl('must be a URL with postgres:// or postgresql://');
  const [, scheme = '', user = '', authority = '', path = '', search = ''] = parts;
  const parameters = new URLSearchParams(search);
  const attributes = parameters.get('target_session_attrs');
  parameters.delete('target_session_attrs');
  if (attributes !== null && !OF_LIBPQ.has(attributes)) {
    throw new BadDatabaseUrl(
      `target_session_attrs=${attributes} is not one of ${[...OF_LIBPQ].join(', ')}`,
    );
  }
  if (attributes !== null && attributes !== 'any' && !WRITABLE.has(attributes)) {
    throw new BadDatabaseUrl(
      `target_session_attrs=${attributes}: a server that accepts writes is needed`,
    );
  }
  const rest = path + (parameters.size > 0 ? `?${parameters.toString()}` : '');
  const hosts = authority.split(',').map((text, index, all) => {
    const name = text === '' && all.length === 1 ? '' : hostName(text, index);
    const single = `${scheme}${user}${name}${rest}`;
    // Without a host it is a Unix socket, or the value of `host=`.
    if (!URL.canParse(name === '' ? `${scheme}x${rest}` : single)) {
      throw new BadDatabaseUrl(`host ${index + 1} (${text}) does not form a valid URL`);
    }
    return { name, url: attributes === null && all.length === 1 ? url : single };
  }) as [DatabaseHost, ...DatabaseHost[]];
  const repeated = hosts.find(
    ({ name }, index) => hosts.findIndex((other) => other.name === name) < index,
  );
  if (repeated) throw new BadDatabaseUrl(`${repeated.name} is listed twice`);
  return { hosts, mustBeWritable: attributes === null ? hosts.length > 1 : attributes !== 'any' };
}

/** `host`, `host:port` or `[IPv6]:port`, with its port. */
function hostName(text: string, index: number): string {
  const which = `host ${index + 1}`;
  if (text === '') throw new BadDatabaseUrl(`${which} is empty: hosts are separated by one comma`);
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(.*))?$/.exec(text) ?? [];
  if (host === undefined)
    throw new BadDatabaseUrl(`${which} (${text}) must have the form host:port or [IPv6]:port`);
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (port !== undefined && (!/^\d{1,5}$/.test(port) || number < 1 || number > 65_535)) {
    throw new BadDatabaseUrl(`${which} (${text}) must have a port from 1 to 65535`);
  }
  return `${host}:${number}`;
}
