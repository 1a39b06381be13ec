/** A path that is there, asked with a method that it does not have: 405 with `Allow` (RFC 9110, 15.5.6). */
import { type FastifyInstance } from 'fastify';

interface Path {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Hears of each route from now on. @returns the methods that a path has, empty where there is no such path */
export function methodsByPath(server: FastifyInstance): (path: string) => string[] {
  const paths = new Map<string, Path>();
  server.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) path.methods.add(name);
    paths.set(url, path);
  });
  return (path) => {
    const found = [...paths.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
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
