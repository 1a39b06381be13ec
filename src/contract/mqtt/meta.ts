/** `meta` of an OTA event: additional facts as key and value (contract section 2). */
import Type from 'typebox';

const MetaValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

const MetaEntry = Type.Object({
  // May be empty, as in a plain object: what was read can be written and read again.
  key: Type.String({ description: 'What the value is, e.g. `download`, `reason`.' }),
  value: MetaValue,
});

/** What a reader takes; what we write is always the array. */
export const Meta = Type.Union(
  [Type.Array(MetaEntry), Type.Null(), Type.Record(Type.String(), MetaValue)],
  {
    description:
      'Array of {key, value}, [] when there is nothing; {}, null and a plain object are read too.',
    examples: [[{ key: 'download', value: '40%' }]],
  },
);
export type Meta = Type.Static<typeof Meta>;

/** One pair in the `meta` of an OTA_EVENT. */
export interface MetaField {
  readonly key: string;
  readonly value: string;
}

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

/** Keys under which agents say why, best first. */
const REASON_KEYS = ['reason', 'error', 'cause', 'error_message', 'error_code'];
/** A longer one is cut: reasons are grouped. */
const MAX_REASON = 200;

/** Why, in the vehicle's own words; null where it does not say. */
export function reasonOf(meta: readonly MetaField[]): string | null {
  for (const wanted of REASON_KEYS) {
    for (const { key, value } of meta) {
      if (key.toLowerCase() === wanted && value !== '')
        return value.slice(0, MAX_REASON).toWellFormed();
    }
  }
  return null;
}
