/** Why something happened, as an event's `meta` says it. */
import { type MetaField } from '../mqtt/meta.js';

/** Keys of `meta` under which vehicles say why, best first. Ours write the first one, as the seed's example does. */
export const REASON_KEYS = ['reason', 'error', 'cause', 'error_message', 'error_code'] as const;
/** A longer one is cut: reasons are grouped. */
const MAX_REASON = 200;

/** The reason reported by the vehicle; null if it reports none. */
export function reasonOf(meta: readonly MetaField[]): string | null {
  for (const wanted of REASON_KEYS) {
    for (const { key, value } of meta) {
      if (key.toLowerCase() === wanted && value !== '')
        return value.slice(0, MAX_REASON).toWellFormed();
    }
  }
  return null;
}

/** The entry of `meta` with which our vehicles say why. */
export const reasonField = (reason: string): MetaField => ({ key: REASON_KEYS[0], value: reason });
