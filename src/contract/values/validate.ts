/** Validates values against schemas and names each error and its path. */
import { Compile, Settings, type Static, type TSchema, type Validator } from '../typebox.js';
import { patternMessage } from './pattern.js';

/** One thing that is wrong with a value, and where. */
export interface FieldError {
  /** JSON Pointer (RFC 6901) to the field, e.g. `/body/vins/3`. */
  readonly path: string;
  readonly message: string;
}

/** Maximum number of reported errors. */
const MAX_ERRORS = 100;
Settings.Set({ maxErrors: MAX_ERRORS });

/** A compiled validator of one schema. */
export interface Check<T> {
  /** Whether the value has the schema's shape. */
  matches(value: unknown): value is T;
  /** The errors in a value, one per field, at most 100; empty if it is valid. */
  errors(value: unknown): FieldError[];
}

/** Compiles a schema. The result is worth keeping: compiling costs more than checking. */
export function checkOf<S extends TSchema>(schema: S): Check<Static<S>> {
  // Compiling takes a millisecond or two, so it waits for the first use.
  let validator: Validator | undefined;
  const compiled = () => (validator ??= Compile(schema));
  return {
    matches: (value): value is Static<S> => compiled().Check(value),
    errors: (value) => describe(compiled().Errors(value)),
  };
}

type SchemaError = ReturnType<Validator['Errors']>[number];

function describe(errors: SchemaError[]): FieldError[] {
  const byPath = new Map<string, string>();
  for (const error of errors) {
    for (const [path, message] of fieldErrors(error)) {
      // The first error of a field is the most telling one.
      if (!byPath.has(path)) byPath.set(path, message);
    }
  }
  return [...byPath].map(([path, message]) => ({ path, message }));
}

function fieldErrors(error: SchemaError): [path: string, message: string][] {
  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) => [
        `${error.instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        'is missing',
      ]);
    case 'const':
      return [[error.instancePath, `must be ${JSON.stringify(error.params.allowedValue)}`]];
    case 'additionalProperties':
      // Each unexpected field has a separate error, of the keyword boolean.
      return [];
    case 'boolean':
      return [[error.instancePath, 'is not a known field']];
    case 'enum':
      return [[error.instancePath, `must be one of ${error.params.allowedValues.join(', ')}`]];
    case 'pattern':
      return [[error.instancePath, patternMessage(String(error.params.pattern))]];
    default:
      return [[error.instancePath, error.message]];
  }
}
