/** Limits of length (POUF, section 7). */
import { Refusal, type Subject } from '../refusal.js';
import { POUF } from './sections.js';

/** @throws Refusal `length` */
export function checkLength(bytes: Uint8Array, most: number, subject: Subject): void {
  if (bytes.length > most) throw tooLong(subject, most);
}

/** @param most bytes */
export const tooLong = (subject: Subject, most: number): Refusal =>
  new Refusal(subject, {
    code: 'length',
    check: POUF.limits,
    fault: 'is too long',
    expected: `at most ${most} bytes`,
    found: 'more',
    attack: 'endless-data',
  });
