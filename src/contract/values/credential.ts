/**
 * What a credential that its caller has chosen must not be (NIST SP 800-63B-4, section 3.1.1.2): as short as a password that is
 * guessed, or made of what everybody knows of the vehicle. Length is a matter of the schema: 16, one more than asked there.
 */

/** Different characters of a credential at least: of 16 random hexadecimal digits, 99.9 % have as many. */
const DIFFERENT = 6;
/** Characters at least beside the names that it contains. */
const BESIDE_NAMES = 8;

/**
 * @param names of the vehicle: VIN, system_id, device_id, model; empty ones are ignored
 * @returns why it is refused; undefined: it is not
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
  const known = names
    .filter((name) => name.length >= 4)
    .map((name) => name.toLowerCase())
    .sort((a, b) => b.length - a.length);
  const rest = known.reduce((left, name) => left.replaceAll(name, ''), text);
  if (rest.length < BESIDE_NAMES) {
    return `must have at least ${BESIDE_NAMES} characters beside the vehicle's own names: omit it to have a random one generated`;
  }
  return undefined;
}

/** Whether it is one text, again and again: it is found inside two of itself. */
const repeats = (text: string) => (text + text).indexOf(text, 1) < text.length;
