/** Parses and validates typed numbers. Pure. */

/** Limits of a number; absent: none. */
export interface NumberRule {
  readonly isInteger?: boolean;
  readonly min?: number;
  /** Exclusive minimum. */
  readonly above?: number;
  readonly max?: number;
}

/** Digits with at most one decimal point; without exponents, so that a half-typed `5e` is invalid. */
const NUMBER = /^[-−]?(?:\d+(?:\.\d*)?|\.\d+)$/;

/** The number; undefined for an empty text, NaN for anything that is not a number. */
export function numberOf(text: string): number | undefined {
  const typed = text.trim();
  if (typed === '') return undefined;
  return NUMBER.test(typed) ? Number(typed.replace('−', '-')) : NaN;
}

/** The error of a typed text; undefined if it is valid, or empty and not required. */
export function numberFault(
  text: string,
  { isInteger = false, min = -Infinity, above = -Infinity, max = Infinity }: NumberRule,
  isRequired = false,
): string | undefined {
  const value = numberOf(text);
  if (value === undefined) return isRequired ? 'Enter a number.' : undefined;
  if (Number.isNaN(value)) return 'Not a number.';
  if (isInteger && !Number.isInteger(value)) return 'Must be a whole number.';
  if (value <= above) return `Must be above ${above}.`;
  if (value < min) return `Must be ${min} or more.`;
  return value > max ? `Must be ${max} or less.` : undefined;
}
