/**
 * The only place where parts of a request become valid values, or a 400 that names the field: path parameters, query,
 * headers and JSON bodies, by the schemas of their route. Lines of CSV and NDJSON are validated by `lines.ts`.
 */
import { Readable } from 'node:stream';
import Type, { type TSchema, Value } from '../../contract/typebox.js';
import { checkOf, type FieldError } from '../../contract/index.js';
import { textFault } from '../storable-text.js';
import { invalid, type Problem } from './problem.js';
import { type QueryTexts, valueOf } from './query-text.js';

type Validated = { readonly value: unknown } | { readonly error: Problem };

/** The part of a request, as fastify names it. */
type HttpPart = 'body' | 'querystring' | 'params' | 'headers' | undefined;

export function validatorOf(schema: TSchema, part: HttpPart): (data: unknown) => Validated {
  const check = checkOf(schema);
  const checked = (value: unknown): Validated =>
    check.matches(value) ? { value } : { error: invalid(check.errors(value)) };
  switch (part) {
    case 'querystring': {
      const takesNone = Object.keys(propertiesOf(schema)).length === 0;
      return (data) => {
        // Most requests have no query.
        if (takesNone && Object.keys(data as QueryTexts).length === 0) return { value: {} };
        const { values, errors } = queryValues(schema, data as QueryTexts);
        // Defaults are not applied to a body: its reader knows them.
        return errors.length > 0
          ? { error: invalid(errors) }
          : checked(Value.Default(schema, values));
      };
    }
    case 'params':
    case 'headers':
      return (data) => {
        const given = data as Readonly<Record<string, unknown>>;
        const texts = named(schema, given, part === 'params' ? placeholderOf : undefined);
        const errors = [...textErrors(texts)];
        return errors.length > 0 ? { error: invalid(errors) } : checked(texts);
      };
    default: {
      const mayBeAbsent = Type.IsOptional(schema);
      return (data) => {
        // A stream is validated by its reader.
        if (data instanceof Readable) return { value: data };
        if (data === undefined || data === null)
          return mayBeAbsent ? { value: undefined } : absent();
        return checked(data);
      };
    }
  }
}

const absent = (): Validated => ({
  error: invalid([{ path: '', message: 'the body is missing' }]),
});

const propertiesOf = (schema: TSchema): Readonly<Record<string, TSchema>> =>
  Type.IsObject(schema) ? schema.properties : {};

function queryValues(schema: TSchema, texts: QueryTexts) {
  const properties = propertiesOf(schema);
  const values: Record<string, unknown> = {};
  const errors: FieldError[] = [];
  for (const [name, given] of Object.entries(texts)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const message = property ? queryFault(property, given) : 'is not a known parameter';
    if (message !== undefined) errors.push({ path: `/${name.toWellFormed()}`, message });
    else if (property && Type.IsArray(property)) {
      values[name] = given.map((text) => valueOf(property.items, text ?? ''));
    } else if (property) values[name] = valueOf(property, given[0] ?? '');
  }
  return { values, errors };
}

function queryFault(schema: TSchema, given: readonly (string | null)[]): string | undefined {
  if (given.length > 1 && !Type.IsArray(schema)) return 'is given more than once';
  for (const text of given) {
    const fault = text === null ? 'is not percent-encoded UTF-8' : textFault(text);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * Name of a path parameter in the router, where a `-` ends a name: the contract's `{ref-id}` is `:ref_id` there.
 */
export const placeholderOf = (parameter: string): string => parameter.replaceAll('-', '_');

/** The headers that the schema names; a request has others too. */
function named(
  schema: TSchema,
  data: Readonly<Record<string, unknown>>,
  nameOf = (name: string) => name,
): Record<string, unknown> {
  const given = Object.keys(propertiesOf(schema)).map((name) => [name, data[nameOf(name)]]);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as typeof data;
}

function* textErrors(texts: Readonly<Record<string, unknown>>): Generator<FieldError> {
  for (const [name, text] of Object.entries(texts)) {
    const message = typeof text === 'string' ? textFault(text) : undefined;
    if (message !== undefined) yield { path: `/${name}`, message };
  }
}
