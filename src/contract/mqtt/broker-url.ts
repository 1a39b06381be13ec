/** The address of an MQTT broker, or of the nodes of a broker cluster, tried in turn. Pure. */

const DEFAULT_PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;

/** One host of a broker. */
export interface BrokerHost {
  /** Name or IP address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The address of a broker, or of all hosts of a cluster. */
export interface BrokerUrl {
  readonly protocol: keyof typeof DEFAULT_PORTS;
  readonly username?: string;
  readonly password?: string;
  /** One or more. */
  readonly hosts: readonly [BrokerHost, ...BrokerHost[]];
  /** Of WebSockets, with its query. */
  readonly path: string;
}

/** Protocol, user and password, hosts, path. */
const SHAPE = /^([a-z]+):\/\/(?:([^/?#]*)@)?([^/?#@]*)([/?][^#]*)?$/i;
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;

/**
 * @param text e.g. `mqtts://user:password@a:8883,b:8883,c`; `mqtt`, `mqtts`, `ws` or `wss`
 * @throws Error that names the fault, without the password
 */
export function parseBrokerUrl(text: string): BrokerUrl {
  const match = SHAPE.exec(text);
  if (!match)
    throw new Error('must be a URL such as mqtt://host:1883 or mqtts://user:password@a,b');
  const [, scheme = '', user, hostList = '', path = '/'] = match;
  const protocol = scheme.toLowerCase();
  if (!isProtocol(protocol)) {
    throw new Error(`must be a URL with mqtt://, mqtts://, ws:// or wss://, not ${scheme}://`);
  }
  const [first, ...others] = hostList.split(',').map((host) => parseHost(host, protocol));
  if (!first) throw new Error('names no host');
  return { protocol, hosts: [first, ...others], path, ...credentials(user) };
}

/** `a:1883,b:1883`: for people, without the password. */
export const brokerHosts = ({ hosts }: BrokerUrl): string =>
  hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');

const isProtocol = (text: string): text is BrokerUrl['protocol'] => text in DEFAULT_PORTS;

function parseHost(text: string, protocol: BrokerUrl['protocol']): BrokerHost {
  const match = HOST.exec(text.trim());
  if (!match) throw new Error(`'${text}' is not a host with an optional port`);
  const [, host = '', digits] = match;
  const port = digits === undefined ? DEFAULT_PORTS[protocol] : Number(digits);
  if (port < 1 || port > 65_535) throw new Error(`'${text}' needs a port from 1 to 65535`);
  return { host: host.replace(/^\[|\]$/g, ''), port };
}

function credentials(user: string | undefined): Pick<BrokerUrl, 'username' | 'password'> {
  if (user === undefined || user === '') return {};
  const colon = user.indexOf(':');
  try {
    if (colon < 0) return { username: decodeURIComponent(user) };
    return {
      username: decodeURIComponent(user.slice(0, colon)),
      password: decodeURIComponent(user.slice(colon + 1)),
    };
  } catch {
    throw new Error('has a user or password that is not percent-encoded correctly (% is %25)');
  }
}
