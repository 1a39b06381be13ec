/** Kinds of request bodies. */
import type Type from '../typebox.js';

/**
 * What every route with a body states of it: the largest body, before and after decompression, in bytes, and whether it may
 * be compressed (`content-encoding: gzip`).
 */
export interface BodyLimit {
  readonly maxBytes: number;
  readonly gzip: boolean;
}

/** A body of JSON, read in full and checked against its schema. */
export interface JsonBody<Schema extends Type.TSchema = Type.TSchema> extends BodyLimit {
  readonly kind: 'json';
  readonly schema: Schema;
  readonly description: string;
  /** Whether a request may come without it. */
  readonly optional: boolean;
  /** Whether its bytes are signed: then they are read as they came, and checked afterwards. */
  readonly signed?: boolean;
  /** Whether the body is an HTML form instead of JSON: texts, or lists of repeated fields. */
  readonly form?: boolean;
}

/** Lines of CSV or NDJSON: checked line by line while they come. */
export interface LinesBody extends BodyLimit {
  readonly kind: 'lines';
  readonly description: string;
  readonly examples: LineExamples;
}

/** A few lines in each format. */
export type LineExamples = Readonly<Record<(typeof LINE_TYPES)[keyof typeof LINE_TYPES], string>>;

/** Any bytes. */
export interface BytesBody extends BodyLimit {
  readonly kind: 'bytes';
  readonly description: string;
}

/** Kinds of request bodies. */
export type Body = JsonBody | LinesBody | BytesBody;

/** Media types of lines. */
export const LINE_TYPES = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
} as const;

const KIB = 1024;
const MIB = 1024 * KIB;

/** Limit for a JSON body without long lists, which needs no compression. */
const SHORT: BodyLimit = { maxBytes: 256 * KIB, gzip: false };
/** Enough for a million vehicles, each on a separate indented line. */
export const LONG_LIST: BodyLimit = { maxBytes: 64 * MIB, gzip: true };
/** Enough for ten million vehicles with all their data; more need a second import. */
const LINES: BodyLimit = { maxBytes: 4096 * MIB, gzip: true };
/** More than any ECU can store. Firmware is compressed already. */
const BYTES: BodyLimit = { maxBytes: 64 * 1024 * MIB, gzip: false };

/** A body of JSON that a request must have; by default at most 256 KiB, not compressed. */
export const jsonBody = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
  limit: Partial<BodyLimit> = {},
) => ({ kind: 'json', schema, description, optional: false, ...SHORT, ...limit }) as const;

/** A body of JSON that a request may come without. */
export const optionalJsonBody = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
) => ({ kind: 'json', schema, description, optional: true, ...SHORT }) as const;

/** A body of JSON whose bytes are signed, of at most `maxBytes` bytes. */
export const signedJsonBody = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
  maxBytes: number,
) =>
  ({
    kind: 'json',
    schema,
    description,
    optional: false,
    signed: true,
    maxBytes,
    gzip: false,
  }) as const;

/** A body of at most `maxBytes` bytes as browsers send forms (`application/x-www-form-urlencoded`). */
export const formBody = <Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
  maxBytes: number,
) =>
  ({
    kind: 'json',
    schema,
    description,
    optional: false,
    form: true,
    maxBytes,
    gzip: false,
  }) as const;

/** Media type of forms. */
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** A body of CSV or NDJSON. */
export const linesBody = (description: string, examples: LineExamples): LinesBody => ({
  kind: 'lines',
  description,
  examples,
  ...LINES,
});
/** A body of any bytes. */
export const bytesBody = (description: string): BytesBody => ({
  kind: 'bytes',
  description,
  ...BYTES,
});
