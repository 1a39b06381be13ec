/**
 * With `npm test`, which has just built it, tests import the build: Node.js loads it in half the time that Vitest needs to
 * translate the source, and it is what is shipped. With `npx vitest`, they import the source.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const SOURCE = resolve('src');
const BUILD = resolve('dist');

export const isBuilt = process.env.npm_lifecycle_event === 'test';

/** A Vite plugin. What has no counterpart in the build, such as the console's modules, stays what it is. */
export const builtSource = {
  name: 'built-source',
  enforce: 'pre' as const,
  resolveId(source: string, importer: string | undefined) {
    if (!source.startsWith('.') || importer === undefined) return undefined;
    const path = resolve(dirname(importer), source);
    if (!path.startsWith(SOURCE)) return undefined;
    const id = path.replace(SOURCE, BUILD);
    return existsSync(id) ? { id, external: true } : undefined;
  },
};
