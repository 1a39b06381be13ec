/** Startup settings for the audit log, without those that are or may contain secrets. Pure. */

/** Matches all settings that hold a secret, and some that name the file of one, such as `mqttTlsKey`. */
const SECRET = /(secrets?|tokens?|passwords?|keys?|credentials?)$/i;
/** User name and password, query and fragment of a URL. */
const IN_URL = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^?#]*)/i;

/** Of a secret, only the fact that it is set. */
export function withoutSecrets(settings: object): Record<string, unknown> {
  const members = Object.entries(settings).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined || typeof value === 'function') return [];
    if (SECRET.test(name) && !isNumber(value)) return [[name, 'set']];
    return [[name, plain(value)]];
  });
  return Object.fromEntries(members);
}

/** A secret is text; a number is a limit, e.g. `exportsPerToken`. */
const isNumber = (value: unknown): value is number => typeof value === 'number';

function plain(value: unknown): unknown {
  if (typeof value === 'string') return IN_URL.test(value) ? withoutUser(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) return withoutSecrets(value);
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

const withoutUser = (url: string) => (IN_URL.exec(url) ?? []).slice(1).join('');
