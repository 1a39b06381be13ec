/** What is chosen in a field or an address, as one of the values that there are. Pure. */

/** The value itself; undefined where the text is none of them. */
export const oneOf = <T extends string>(values: readonly T[], text: string): T | undefined =>
  values.find((value) => value === text);

/** `true`, `false`, or neither. */
export const yesOrNo = (text: string): boolean | undefined =>
  text === 'true' ? true : text === 'false' ? false : undefined;
