/** Answers to a request, except problems. */
import Type from '../typebox.js';

/** An answer of JSON, read in full. */
export interface JsonAnswer<Schema extends Type.TSchema = Type.TSchema> {
  readonly kind: 'json';
  readonly status: number;
  readonly schema: Schema;
  readonly description: string;
}

/** No content: 204, 200 as the answer to HEAD, or 303 for a browser that is sent elsewhere. */
export interface EmptyAnswer {
  readonly kind: 'empty';
  readonly status: 200 | 204 | 303;
  readonly description: string;
  /** Headers of the answer. */
  readonly headers?: Type.TObject;
}

/** Content that is read while it comes: a download, an export, a stream of events, metrics. */
export interface StreamAnswer {
  readonly kind: 'stream';
  readonly status: 200;
  /** The first one where the request does not choose. */
  readonly mediaTypes: readonly string[];
  /** Shape of one event, line or part, if there is one. */
  readonly schema?: Type.TSchema;
  readonly description: string;
  /** Headers of the answer. */
  readonly headers?: Type.TObject;
}

/** A route's answer in case of success. */
export type Answer = JsonAnswer | EmptyAnswer | StreamAnswer;

/** An alternative answer of a route with its own status, e.g. 206 and 304 of a download. */
export interface OtherAnswer {
  readonly status: number;
  readonly description: string;
  /** Absent: it has no content. */
  readonly schema?: Type.TSchema;
  /** Absent: JSON. */
  readonly mediaType?: string;
  readonly headers?: Type.TObject;
}

/** An answer of JSON that fits the schema; its status is 200 unless another is given. */
export const json = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
  status = 200,
): JsonAnswer<Schema> => ({ kind: 'json', status, schema, description });

/** An answer with no content: 204. */
export const empty = (description: string): EmptyAnswer => ({
  kind: 'empty',
  status: 204,
  description,
});

/** The answer to HEAD: the headers that GET would have. */
export const headersOnly = (description: string, headers: Type.TObject): EmptyAnswer => ({
  kind: 'empty',
  status: 200,
  description,
  headers,
});

/** A browser is sent to another address: 303 (RFC 9110, section 15.4.4). */
export const redirect = (description: string): EmptyAnswer => ({
  kind: 'empty',
  status: 303,
  description,
  headers: Type.Object({ location: Type.String({ format: 'uri' }) }),
});

/** An answer that is read while it comes, with the status 200. */
export const stream = (
  mediaType: string | readonly string[],
  description: string,
  schema?: Type.TSchema,
  headers?: Type.TObject,
): StreamAnswer => ({
  kind: 'stream',
  status: 200,
  mediaTypes: [mediaType].flat(),
  description,
  ...(schema === undefined ? {} : { schema }),
  ...(headers === undefined ? {} : { headers }),
});
