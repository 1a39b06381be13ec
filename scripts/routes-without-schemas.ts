/**
 * The contract's routes for the browser: what a client needs to call them, without the schemas and texts that servers and the
 * OpenAPI document need, and so without the schema library.
 */
import { type Plugin, runnerImport } from 'vite';

/** The modules that state the routes; the console imports routes from these alone. */
const INTERFACE = /\/src\/contract\/(?:adapter|carota|common)-api\/index\.ts$/;
const SCHEMA_LIBRARY = '/node_modules/typebox/';

/** The contract is pure: nothing happens when a module of it is loaded. */
export const isPure = (id: string): boolean => id.includes('/src/contract/');

export const routesWithoutSchemas = (): Plugin => ({
  name: 'routes-without-schemas',
  async load(id) {
    if (!INTERFACE.test(id)) return null;
    const { module, dependencies } = await runnerImport<Record<string, unknown>>(id);
    for (const dependency of dependencies) this.addWatchFile(dependency);
    const constants = Object.entries(module).flatMap(([name, value]) => {
      const kept = isPlain(value) ? value : routesIn(value);
      return kept === undefined ? [] : [`export const ${name} = ${JSON.stringify(kept)};`];
    });
    return { code: constants.join('\n'), moduleType: 'js' };
  },
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      const modules = chunk.type === 'chunk' ? chunk.moduleIds : [];
      if (modules.some((id) => id.includes(SCHEMA_LIBRARY))) {
        this.error(`${chunk.fileName} has the schema library: import routes from an index.ts`);
      }
    }
  },
});

/** A constant, or a list of constants. */
const isPlain = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isPlain) : ['string', 'number'].includes(typeof value);

interface StatedRoute {
  readonly method: string;
  readonly path: string;
  readonly repeatable?: boolean;
  readonly answer: { readonly kind: string };
  readonly otherAnswers?: readonly { readonly status: number }[];
}

/** What `Client` reads of each route of a group; undefined where it is no group of routes. */
function routesIn(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = Object.entries(value);
  if (members.length === 0 || !members.every(([, member]) => isRoute(member))) return undefined;
  return Object.fromEntries(
    members.map(
      ([id, { method, path, repeatable, answer, otherAnswers }]: [string, StatedRoute]) => [
        id,
        {
          method,
          path,
          repeatable,
          answer: { kind: answer.kind },
          otherAnswers: otherAnswers?.map(({ status }) => ({ status })),
        },
      ],
    ),
  );
}

function isRoute(value: unknown): value is StatedRoute {
  return typeof value === 'object' && value !== null && 'method' in value && 'path' in value;
}
