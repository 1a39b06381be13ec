/** Only the fields that have a value: what is empty is left out of what is sent. Pure. */
export type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

export const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''),
  ) as Given<T>;

/** Words between commas, semicolons or blanks. */
export const words = (text: string): string[] =>
  text.split(/[\s,;]+/).filter((word) => word !== '');
