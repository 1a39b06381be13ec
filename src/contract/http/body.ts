/** What the body of a request can be. */
import type Type from 'typebox';

/** A body of JSON, read in full and checked against its schema. */
export interface JsonBody<Schema extends Type.TSchema = Type.TSchema> {
  readonly kind: 'json';
  readonly schema: Schema;
  readonly description: string;
  /** Whether a request may come without it. */
  readonly optional: boolean;
  /** Largest body, before and after decompression, in bytes; absent: the server's own limit. */
  readonly maxBytes?: number;
  /** Whether its bytes are signed: then they are read as they came, and checked afterwards. */
  readonly signed?: boolean;
}

/** Lines of CSV or NDJSON, of any number: checked line by line while they come. */
export interface LinesBody {
  readonly kind: 'lines';
  readonly description: string;
}

/** Any bytes, of any number. */
export interface BytesBody {
  readonly kind: 'bytes';
  readonly description: string;
}

/** What the body of a request can be. */
export type Body = JsonBody | LinesBody | BytesBody;

/** Media types of lines. */
export const LINE_TYPES = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
} as const;

/** A body of JSON that a request must have. */
export const jsonBody = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
  options: { readonly maxBytes?: number } = {},
) => ({ kind: 'json', schema, description, optional: false, ...options }) as const;

/** A body of JSON that a request may come without. */
export const optionalJsonBody = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
) => ({ kind: 'json', schema, description, optional: true }) as const;

/** A body of JSON whose bytes are signed, of at most `maxBytes` bytes. */
export const signedJsonBody = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
  maxBytes: number,
) => ({ kind: 'json', schema, description, optional: false, signed: true, maxBytes }) as const;

/** A body of CSV or NDJSON. */
export const linesBody = (description: string): LinesBody => ({ kind: 'lines', description });
/** A body of any bytes. */
export const bytesBody = (description: string): BytesBody => ({ kind: 'bytes', description });
