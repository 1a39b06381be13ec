/** Flags of the form ROLE=VALUE. */
import { UsageError } from '../../usage-error.js';

/** @throws UsageError */
export function pairOf(flag: string, text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) {
    throw new UsageError(`${flag} ${text}: expected NAME=VALUE`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/** @throws UsageError */
export function thresholdOf(
  flag: string,
  text: string,
): readonly [role: string, threshold: number] {
  const [role, value] = pairOf(flag, text);
  if (!/^[1-9][0-9]{0,3}$/.test(value)) {
    throw new UsageError(`${flag} ${text}: the threshold must be a whole number from 1 on`);
  }
  return [role, Number(value)];
}
