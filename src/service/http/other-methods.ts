/** Answers an undeclared method of an existing path with 405 and `Allow` (RFC 9110, 15.5.6). */
import { type FastifyInstance } from 'fastify';

interface Path {
  readonly pattern: RegExp;
  /** Number of segments that are parameters; Infinity if it ends with a wildcard, which matches any number of segments. */
  readonly parameters: number;
  readonly methods: Set<string>;
}

/**
 * Collects all routes registered from now on.
 *
 * @returns the methods of a path, unless the route found for it defines them itself; undefined: it does, or the path does
 * not exist. If several routes match a path, the one with the fewest parameters takes precedence: `/v1.0/vehicles/import` is
 * not a vehicle. Under a wildcard every path exists, as every vehicle does under `/v1.0/vehicles/:vin`: the methods do not
 * depend on what is stored. The route is undefined if none was found.
 */
export function methodsByPath(
  server: FastifyInstance,
): (path: string, route: string | undefined) => readonly string[] | undefined {
  const paths = new Map<string, Path>();
  const narrower = new Map<string, readonly Path[]>();
  server.addHook('onRoute', ({ url, method }) => {
    const path = paths.get(url) ?? {
      pattern: patternOf(url),
      parameters: url.endsWith('*') ? Infinity : url.split('/:').length - 1,
      methods: new Set(),
    };
    for (const name of [method].flat()) path.methods.add(name);
    // Fastify reports only HEAD for a prefix with a slash, such as `/docs/`.
    if (path.methods.has('HEAD')) path.methods.add('GET');
    paths.set(url, path);
  });
  /** Other routes that this route's parameters could match; nearly always none, so that it costs each request nothing. */
  const narrowerThan = (route: string) => {
    const cached = narrower.get(route);
    if (cached) return cached;
    const own = paths.get(route);
    const found = own ? [...paths].filter(([url, path]) => isNarrower(url, path, own)) : [];
    const answer = found.map(([, path]) => path);
    narrower.set(route, answer);
    return answer;
  };
  return (path, route) => {
    const found = /[:*]/.test(path) ? undefined : paths.get(path);
    if (found) return methodsOf(found);
    const candidates = route === undefined ? [...paths.values()] : narrowerThan(route);
    const [best] = candidates
      .filter(({ pattern }) => pattern.test(path))
      .sort((a, b) => a.parameters - b.parameters);
    return best && methodsOf(best);
  };
}

const methodsOf = ({ methods }: Path) => [...methods].sort();

/** A pattern's own text fits every pattern that allows at least as much. */
const isNarrower = (url: string, { parameters }: Path, than: Path) =>
  parameters < than.parameters && than.pattern.test(url);

/** `/v1.0/vehicles/:vin` → `^/v1\.0/vehicles/[^/]+$`, `/console/*` → `^/console/.*$` */
function patternOf(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment === '*') return '.*';
    return segment.startsWith(':') ? '[^/]+' : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${segments.join('/')}$`);
}
