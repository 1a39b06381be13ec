/** Removes fields without a value, so that they are not sent. Pure. */
export type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

export const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''),
  ) as Given<T>;

/** Splits at commas, semicolons and white space. */
export const words = (text: string): string[] =>
  text.split(/[\s,;]+/).filter((word) => word !== '');
