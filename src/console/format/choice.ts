/** Parses choices in fields and addresses. Pure. */

/** The text as one of the values; undefined if it is none of them. */
export const oneOf = <T extends string>(values: readonly T[], text: string): T | undefined =>
  values.find((value) => value === text);

/** `true`, `false`, or neither. */
export const yesOrNo = (text: string): boolean | undefined =>
  text === 'true' ? true : text === 'false' ? false : undefined;
