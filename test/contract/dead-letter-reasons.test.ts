/** The table of reasons of dead letters is the only source of its codes: for the code, the interface and the documents. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { adapterDocument } from '../../src/contract/adapter-api/index.js';
import { DEAD_LETTER_MEANINGS, DEAD_LETTER_REASONS } from '../../src/contract/index.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const codes = Object.keys(DEAD_LETTER_MEANINGS);

interface Schema {
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly anyOf?: readonly object[];
  readonly properties?: Readonly<Record<string, object>>;
}
interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<
    Record<string, { get?: { parameters: readonly { name: string; schema: Schema }[] } }>
  >;
}

test('the OpenAPI document has each code with meaning and remedy, as filter and as answer', () => {
  const { components, paths } = adapterDocument('0') as unknown as Document;
  const {
    DeadLetterReason: reason,
    DeadLetter: letter,
    DeadLetterFilter: filter,
  } = components.schemas;
  expect(reason?.enum).toEqual(codes);
  for (const [code, { meaning, remedy }] of Object.entries(DEAD_LETTER_MEANINGS)) {
    expect(reason?.description).toContain(`\`${code}\`: ${meaning} ${remedy}`);
  }
  const reference = { $ref: '#/components/schemas/DeadLetterReason' };
  expect(filter?.properties?.reason).toEqual(reference);
  expect(letter?.properties?.reason).toMatchObject({ anyOf: [reference, { type: 'string' }] });
  const parameters = paths['/v1.0/dead-letters']?.get?.parameters;
  expect(parameters?.find(({ name }) => name === 'reason')?.schema.enum).toEqual(codes);
});

test('docs/failures/OtaopsDeadLetters.md has the table', () => {
  const rows = [
    ...read('docs/failures/OtaopsDeadLetters.md').matchAll(
      /^\| `(\w+)` +\| (.*?) +\| (.*?) +\|$/gm,
    ),
  ].map(([, code, meaning, remedy]) => ({ code, meaning, remedy: withoutMarks(remedy) }));
  expect(rows).toEqual(
    Object.entries(DEAD_LETTER_MEANINGS).map(([code, { meaning, remedy }]) => ({
      code,
      meaning: withoutMarks(meaning),
      remedy,
    })),
  );
});

/** Marks of code, and links. */
const withoutMarks = (text = '') =>
  text.replaceAll('`', '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');

/** That each code which is produced is in the table, the compiler says. */
test('each code of the table is produced by the decoder or the D2C receiver', () => {
  const folder = 'src/adapter/d2c-receiver';
  const receiver = readdirSync(new URL(`../../${folder}`, import.meta.url));
  const source = ['src/contract/mqtt/decode.ts', ...receiver.map((name) => `${folder}/${name}`)]
    .map(read)
    .join('\n');
  expect(DEAD_LETTER_REASONS.filter((code) => !source.includes(`'${code}'`))).toEqual([]);
});
