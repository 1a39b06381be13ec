/**
 * With `npm test`, which has just made the build, tests import the build: Node.js loads it in half the time that Vitest
 * needs to translate the source, and the build is what ships. With `npx vitest`, they import the source.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const SOURCE = resolve('src');
const BUILD = resolve('dist');

export const isBuilt = process.env.npm_lifecycle_event === 'test';

/** A Vite plugin. Modules without a counterpart in the build, such as the console's, are not replaced. */
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
