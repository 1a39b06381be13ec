/** Names of time zones, as the IANA has them. */

/**
 * Whether this Node.js knows the time zone.
 *
 * @param zone e.g. `Europe/Berlin`
 */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
