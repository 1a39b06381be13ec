/** A path that is there, asked with a method that it does not have: 405 with `Allow` (RFC 9110, 15.5.6). */
import { type FastifyInstance } from 'fastify';

interface Path {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * Hears of each route from now on.
 *
 * @returns the methods that a path has, undefined where there is no such path. A path without parameters goes before one
 *   with them: `/v1.0/vehicles/import` is no vehicle. Those with parameters are looked through only when `thorough`.
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
