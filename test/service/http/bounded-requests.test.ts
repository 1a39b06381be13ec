/** Whatever a request may hold has a bound in its schema, so that nothing outgrows the column that takes it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../../carota/support/test-carota.js';
import { startTestAdapter, type TestAdapter } from '../../support/adapter.js';

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

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
}

const has = (schema: Schema, ...names: string[]) => names.some((name) => name in schema);

/** Paths of what has no bound. */
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
      // A format has an end; so has a pattern that ends with a count.
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

let adapter: TestAdapter;
let carota: TestCarota;
let double: Awaited<ReturnType<typeof startAdapterDouble>>;
beforeAll(async () => {
  double = await startAdapterDouble();
  [adapter, carota] = await Promise.all([startTestAdapter(), startTestCarota(double.url)]);
});
afterAll(async () => {
  await Promise.all([adapter.stop(), carota.stop(), double.stop()]);
});

test.each(['adapter', 'carota'])('%s', async (name) => {
  const { body } = await (name === 'adapter' ? adapter : carota).call('GET', '/openapi.json');
  const paths = Object.entries((body as { paths: Record<string, object> }).paths);
  expect(paths.length).toBeGreaterThan(20);
  const found = paths.flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).flatMap(([method, operation]) => [
      ...(operation.parameters ?? []).flatMap((parameter) => [
        ...unbounded(parameter.schema, `${method} ${path} ${parameter.name}`),
      ]),
      ...Object.entries(operation.requestBody?.content ?? {})
        // Streams are bounded by their readers, line by line.
        .filter(([type]) => type === 'application/json')
        .flatMap(([, { schema }]) => [...unbounded(schema, `${method} ${path} body`)]),
    ]),
  );
  expect(found).toEqual([]);
});
