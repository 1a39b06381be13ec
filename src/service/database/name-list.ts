/** Names as a list in the text of a statement, for sets that the contract states and the database must know. */

/** E.g. `'success', 'cancel'`. @throws RangeError if a name contains anything that would need escaping */
export function nameList(names: Iterable<string>): string {
  const quoted = [...names].map((name) => {
    if (!/^\w+$/.test(name)) throw new RangeError(`${name} is not a name`);
    return `'${name}'`;
  });
  return quoted.join(', ');
}
