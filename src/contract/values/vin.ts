/** Vehicle identification number (ISO 3779; contract section 2). */
import { Pattern } from './pattern.js';

/** 17 characters of `A-H J-N P R-Z 0-9`; lower case is taken and upper-cased. */
export const Vin = Pattern(
  '^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$',
  'must be a VIN: 17 of A-H J-N P R-Z 0-9',
  {
    description: '17 of A-H J-N P R-Z 0-9 (ISO 3779); read without regard to case.',
    examples: ['5YJSA1E40FF345678'],
  },
);

const VIN = /^[A-HJ-NPR-Z0-9]{17}$/;

/** The VIN in its one spelling (upper case), or undefined where the text is none. */
export function parseVin(text: string): string | undefined {
  const vin = text.toUpperCase();
  return VIN.test(vin) ? vin : undefined;
}

const LETTER_VALUES: Readonly<Record<string, number>> = {
  ...{ A: 1, B: 2, C: 3, D: 4, E: 5, F: 6, G: 7, H: 8 },
  ...{ J: 1, K: 2, L: 3, M: 4, N: 5, P: 7, R: 9 },
  ...{ S: 2, T: 3, U: 4, V: 5, W: 6, X: 7, Y: 8, Z: 9 },
};
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/**
 * The check digit that position 9 of a North American VIN carries (49 CFR 565.15): `0`–`9` or `X`.
 * The contract does not enforce it: the seed's own VINs do not pass.
 *
 * @param vin 17 characters as {@link parseVin} returns them
 */
export function vinCheckDigit(vin: string): string {
  const sum = WEIGHTS.reduce(
    (total, weight, position) =>
      total + (LETTER_VALUES[vin.charAt(position)] ?? Number(vin.charAt(position))) * weight,
    0,
  );
  const remainder = sum % 11;
  return remainder === 10 ? 'X' : String(remainder);
}
