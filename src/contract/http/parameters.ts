/** Schemas that many routes share. */
import Type from 'typebox';
import { Pattern } from '../values/pattern.js';
import { Identifier } from '../values/text.js';
import { Vin } from '../values/vin.js';

/** RFC 3339, in UTC, as we write it. */
export const Time = Type.String({ format: 'date-time' });
export const TimeOf = (description: string) => Type.String({ format: 'date-time', description });
export const Nullable = <Schema extends Type.TSchema>(schema: Schema, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });

export const VinPrefix = Pattern(
  '^[A-HJ-NPR-Za-hj-npr-z0-9]{1,17}$',
  'must be a VIN or the beginning of one: up to 17 of A-H J-N P R-Z 0-9',
  { description: 'A VIN, or its beginning.' },
);
export const VinParams = Type.Object({ vin: Vin });
export const RefIdParams = Type.Object({
  'ref-id': Identifier('The schedule, that is the operation.'),
});
export const RefIdVinParams = Type.Object({ ...RefIdParams.properties, vin: Vin });

/** Why something is done, in the caller's words; kept in the audit log. */
export const Reason = Pattern('^[^\\u0000]*$', 'must not contain the NUL character', {
  maxLength: 1_000,
  description: 'Why, in the caller’s words; kept in the audit log.',
});
export const WithReason = Type.Object(
  { reason: Type.Optional(Reason) },
  { title: 'WithReason', additionalProperties: false },
);

/** One of a stream (WHATWG HTML, section 9.2). */
export const ServerSentEvent = Type.Object(
  {
    event: Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
    data: Type.Optional(Type.String({ description: 'JSON.' })),
  },
  { title: 'ServerSentEvent' },
);
