/** What the answer to a request can be, where it is no problem. */
import type Type from 'typebox';

export interface JsonAnswer<Schema extends Type.TSchema = Type.TSchema> {
  readonly kind: 'json';
  readonly status: number;
  readonly schema: Schema;
  readonly description: string;
}

/** Nothing but the status 204. */
export interface EmptyAnswer {
  readonly kind: 'empty';
  readonly status: 204;
  readonly description: string;
}

/** Content that is read while it comes: a download, an export, a stream of events, metrics. */
export interface StreamAnswer {
  readonly kind: 'stream';
  readonly status: 200;
  /** The first one where the request does not choose. */
  readonly mediaTypes: readonly string[];
  /** Shape of one event, line or part, where there is one. */
  readonly schema?: Type.TSchema;
  readonly description: string;
}

export type Answer = JsonAnswer | EmptyAnswer | StreamAnswer;

export const json = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
  status = 200,
): JsonAnswer<Schema> => ({ kind: 'json', status, schema, description });

export const empty = (description: string): EmptyAnswer => ({
  kind: 'empty',
  status: 204,
  description,
});

export const stream = (
  mediaType: string | readonly string[],
  description: string,
  schema?: Type.TSchema,
): StreamAnswer => ({
  kind: 'stream',
  status: 200,
  mediaTypes: [mediaType].flat(),
  description,
  ...(schema === undefined ? {} : { schema }),
});
