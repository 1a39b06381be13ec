/** Answers an undeclared method of an existing path with 405 and `Allow` (RFC 9110, 15.5.6). */
import { type FastifyInstance } from 'fastify';

interface Path {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * Collects all routes registered from now on.
 *
 * @returns the methods of a path; undefined if the path does not exist. A path without parameters takes precedence:
 *   `/v1.0/vehicles/import` is not a vehicle. Paths with parameters are searched only if `thorough`.
 */
export function methodsByPath(
  server: FastifyInstance,
): (path: string, thorough: boolean) => readonly string[] | undefined {
  const paths = new Map<string, Path>();
  server.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) path.methods.add(name);
    paths.set(url, path);
  });
  return (path, thorough) => {
    const found = path.includes(':') ? undefined : paths.get(path);
    if (found) return [...found.methods].sort();
    if (!thorough) return undefined;
    return [...paths.values()]
      .filter(({ pattern }) => pattern.test(path))
      .map(({ methods }) => [...methods].sort())[0];
  };
}

/** `/v1.0/vehicles/:vin` → `^/v1\.0/vehicles/[^/]+$` */
function patternOf(url: string): RegExp {
  const segments = url
    .split('/')
    .map((segment) =>
      segment.startsWith(':') ? '[^/]+' : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    );
  return new RegExp(`^${segments.join('/')}$`);
}
