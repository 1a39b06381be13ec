/** Every value in a request is bounded by its schema, so that it fits its database column. */
import { expect, test } from 'vitest';
import { ADAPTER_ROUTES } from '../../src/contract/adapter-api/index.js';
import { CAROTA_ROUTES } from '../../src/contract/carota-api/index.js';
import { type Route } from '../../src/contract/index.js';

interface Schema {
  readonly type?: string;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly format?: string;
  readonly pattern?: string;
  readonly [bound: string]: unknown;
}

const has = (schema: Schema, ...names: string[]) => names.some((name) => name in schema);

/** Paths of unbounded values. */
function* unbounded(schema: Schema, path: string): Generator<string> {
  if (has(schema, 'enum', 'const')) return;
  for (const one of schema.anyOf ?? []) yield* unbounded(one, path);
  switch (schema.type) {
    case 'integer':
    case 'number':
      if (!has(schema, 'minimum', 'exclusiveMinimum')) yield `${path}: no minimum`;
      if (!has(schema, 'maximum', 'exclusiveMaximum')) yield `${path}: no maximum`;
      return;
    case 'string':
      // A format is bounded; so is a pattern that ends with a quantifier.
      if (!has(schema, 'maxLength', 'format') && !/\}\)?\$$/.test(schema.pattern ?? '')) {
        yield `${path}: no maxLength`;
      }
      if (!has(schema, 'pattern', 'format')) yield `${path}: takes NUL`;
      return;
    case 'array':
      if (!has(schema, 'maxItems')) yield `${path}: no maxItems`;
      yield* unbounded(schema.items ?? {}, `${path}/*`);
      return;
    case 'object':
      for (const [name, one] of Object.entries(schema.properties ?? {})) {
        yield* unbounded(one, `${path}/${name}`);
      }
      for (const one of Object.values(schema.patternProperties ?? {})) {
        if (schema.additionalProperties !== false) yield `${path}: takes any key`;
        if (!has(schema, 'maxProperties')) yield `${path}: no maxProperties`;
        yield* unbounded(one, `${path}/*`);
      }
  }
}

// The server bounds all headers together.
const partsOf = ({ params, query, body }: Route) => ({
  params,
  query,
  // Readers bound streams line by line; a call-back is bounded by its size, and an event that cannot be stored is
  // set aside (contract section 2).
  body: body?.kind === 'json' && !body.signed ? body.schema : undefined,
});

test.each([...ADAPTER_ROUTES, ...CAROTA_ROUTES].map((route) => [route.id, route] as const))(
  'the request of %s has only bounded values',
  (_id, route) => {
    const found = Object.entries(partsOf(route)).flatMap(([part, schema]) =>
      schema === undefined ? [] : [...unbounded(schema as Schema, part)],
    );
    expect(found).toEqual([]);
  },
);
