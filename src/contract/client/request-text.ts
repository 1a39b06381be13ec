/** A request's parts as text. Pure. */

/** JSON has no NaN: `JSON.stringify` would write null, which often means “no limit”. @throws TypeError */
export const jsonOf = (body: unknown): string =>
  JSON.stringify(body, (name, value: unknown) => {
    refuseNoNumber(name, value);
    return value;
  });

/**
 * The query with its question mark, or an empty text. Undefined and empty values are omitted; a list is repeated for each of
 * its items.
 *
 * @throws TypeError
 */
export function queryText(query: Readonly<Record<string, unknown>> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat() as (string | number | boolean | undefined)[]) {
      refuseNoNumber(name, one);
      if (one !== undefined && one !== '') search.append(name, String(one));
    }
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

function refuseNoNumber(name: string, value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`${name} must be a number`);
  }
}
