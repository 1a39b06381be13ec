/** Schemas that many routes share. */
import Type from '../typebox.js';
import { Pattern } from '../values/pattern.js';
import { Identifier } from '../values/text.js';
import { Vin } from '../values/vin.js';

/** RFC 3339, in UTC, as we write it. */
export const Time = Type.String({ format: 'date-time' });
/** The same as {@link Time}, with a description. */
export const TimeOf = (description: string) => Type.String({ format: 'date-time', description });
/** The schema's values, or null. */
export const Nullable = <Schema extends Type.TSchema>(schema: Schema, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });

/** The beginning of a VIN, by which vehicles are searched: 1 to 17 characters, in either case. */
export const VinPrefix = Pattern(
  '^[A-HJ-NPR-Za-hj-npr-z0-9]{1,17}$',
  'must be a VIN or a prefix of one: up to 17 of A-H J-N P R-Z 0-9',
  { description: 'A VIN or a prefix of one.' },
);
/** Parameters of a path with `{vin}`. */
export const VinParams = Type.Object({ vin: Vin });
/** Parameters of a path with `{ref-id}`. */
export const RefIdParams = Type.Object({
  'ref-id': Identifier('Id of the schedule and its operation.'),
});
/** Parameters of a path with `{ref-id}` and `{vin}`. */
export const RefIdVinParams = Type.Object({ ...RefIdParams.properties, vin: Vin });

/** Why something is done, in the caller's words; kept in the audit log. */
export const Reason = Pattern('^[^\\u0000]*$', 'must not contain the character NUL', {
  maxLength: 1_000,
  description: 'Reason given by the caller; recorded in the audit log.',
});
/** Body of a request that says nothing but why, and may leave that out. */
export const WithReason = Type.Object(
  { reason: Type.Optional(Reason) },
  { title: 'WithReason', additionalProperties: false },
);

/** One of the roles of a server. */
export const RoleName = <const Role extends string>(roles: readonly Role[]) =>
  Type.Unsafe<Role>(Type.Enum([...roles], { title: 'Role', description: 'Role at this server.' }));

/** One of a stream (WHATWG HTML, section 9.2). */
export const ServerSentEvent = Type.Object(
  {
    event: Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
    data: Type.Optional(Type.String({ description: 'JSON.' })),
  },
  { title: 'ServerSentEvent' },
);
