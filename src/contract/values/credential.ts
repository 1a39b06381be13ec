/**
 * Rules for a credential chosen by the caller (NIST SP 800-63B-4, section 3.1.1.2): it must be neither easy to guess nor
 * derived from public facts about the vehicle. The schema checks the length: at least 16, one more than the standard
 * requires.
 */

/** Different characters of a credential at least: of 16 random hexadecimal digits, 99.9 % have as many. */
const DIFFERENT = 6;
/** Characters at least beside the names that it contains. */
const BESIDE_NAMES = 8;

/**
 * @param names of the vehicle: VIN, system_id, device_id, model; empty ones are ignored
 * @returns why it is refused; undefined: it is accepted
 */
export function credentialFault(credential: string, names: readonly string[]): string | undefined {
  const text = credential.toLowerCase();
  if (new Set(text).size < DIFFERENT) {
    return `must have at least ${DIFFERENT} different characters: omit it to have a random one generated`;
  }
  if (repeats(text)) {
    return 'must not repeat a shorter text: omit it to have a random one generated';
  }
  // The longest first: one name may contain another.
  const longestFirst = names
    .filter((name) => name.length >= 4)
    .map((name) => name.toLowerCase())
    .sort((a, b) => b.length - a.length);
  const rest = longestFirst.reduce((left, name) => left.replaceAll(name, ''), text);
  if (rest.length < BESIDE_NAMES) {
    return `must have at least ${BESIDE_NAMES} characters beside the vehicle's own names: omit it to have a random one generated`;
  }
  return undefined;
}

/** Whether the text repeats a shorter one: then it occurs inside two copies of itself. */
const repeats = (text: string) => (text + text).indexOf(text, 1) < text.length;
