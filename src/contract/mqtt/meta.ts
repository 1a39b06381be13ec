/** `meta` of an OTA event: additional facts as key and value (contract section 2). */
import Type from '../typebox.js';
import { StorableText } from '../values/text.js';

const MetaValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

const MetaEntry = Type.Object({
  // May be empty, as in a plain object, so that any meta that was read can be written and read again.
  key: Type.String({ description: 'What the value is, e.g. `download`, `reason`.' }),
  value: MetaValue,
});

/** The forms that a reader accepts; we always write the array. */
export const Meta = Type.Union(
  [Type.Array(MetaEntry), Type.Null(), Type.Record(Type.String(), MetaValue)],
  {
    description:
      'Array of {key, value}, [] when there is nothing; {}, null and a plain object are read too.',
    examples: [[{ key: 'download', value: '40%' }]],
  },
);
export type Meta = Type.Static<typeof Meta>;

/** A fact in its one form. */
export const MetaField = Type.Object(
  {
    key: StorableText('What the value is, e.g. `download`, `reason`.'),
    value: StorableText('In the vehicle’s words.'),
  },
  { title: 'MetaField', examples: [{ key: 'download', value: '40%' }] },
);
export type MetaField = Readonly<Type.Static<typeof MetaField>>;

/** U+FFFD in place of each half of a surrogate pair, which UTF-8 cannot encode; NUL was refused before. */
const field = (key: string, value: string | number | boolean): MetaField => ({
  key: key.toWellFormed(),
  value: String(value).toWellFormed(),
});

/** The one form that the rest of the system sees. */
export function normaliseMeta(meta: Meta): MetaField[] {
  if (Array.isArray(meta)) return meta.map(({ key, value }) => field(key, value));
  return Object.entries(meta ?? {}).map(([key, value]) => field(key, value));
}
