/** Numbers as people type them. Pure. */

/** What a number must be; absent: anything goes. */
export interface NumberRule {
  readonly isInteger?: boolean;
  readonly min?: number;
  /** Above it, not equal to it. */
  readonly above?: number;
  readonly max?: number;
}

/** Digits with one decimal point at most; no exponent, which a half-typed `5e` would be. */
const NUMBER = /^[-−]?(?:\d+(?:\.\d*)?|\.\d+)$/;

/** The number; undefined where the text is empty, NaN where it is no number. */
export function numberOf(text: string): number | undefined {
  const typed = text.trim();
  if (typed === '') return undefined;
  return NUMBER.test(typed) ? Number(typed.replace('−', '-')) : NaN;
}

/** What is wrong with what was typed; undefined where it is right, or where nothing was typed and nothing has to be. */
export function numberFault(
  text: string,
  { isInteger = false, min = -Infinity, above = -Infinity, max = Infinity }: NumberRule,
  isRequired = false,
): string | undefined {
  const value = numberOf(text);
  if (value === undefined) return isRequired ? 'Enter a number.' : undefined;
  if (Number.isNaN(value)) return 'This is not a number.';
  if (isInteger && !Number.isInteger(value)) return 'Must be a whole number.';
  if (value <= above) return `Must be above ${above}.`;
  if (value < min) return `Must be ${min} or more.`;
  return value > max ? `Must be ${max} or less.` : undefined;
}
