/** Schemas of the strings and objects that messages are made of. */
import { Pattern } from './pattern.js';

/**
 * Control characters (category Cc), as part of a character class. Written as ranges, which the regular expressions of every
 * language support, so that any reader of our documents can use the patterns.
 */
export const CONTROLS = '\\u0000-\\u001F\\u007F-\\u009F';

/** Halves of surrogate pairs (category Cs). Other languages' texts cannot have them, so our documents leave them out. */
export const SURROGATES = '\\uD800-\\uDFFF';

/**
 * Text without control characters and without lone surrogates: every valid text can be stored as UTF-8 and compared byte by
 * byte in every part of the system.
 */
export const PrintableText = (options: Parameters<typeof Pattern>[2] = {}) =>
  Pattern(`^[^${CONTROLS}${SURROGATES}]*$`, 'must not contain control characters', options);

/** Longest identifier that we take, in UTF-16 code units. */
export const MAX_IDENTIFIER_LENGTH = 256;

/** A name given by a person or a system, e.g. `ref-id`, `model`: 1 to 256 printable characters. */
export const Identifier = (description: string) =>
  PrintableText({ minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, description });

/** The same, but may be empty, as `sub_system_id` and `correlation_id` often are. */
export const OptionalIdentifier = (description: string) =>
  PrintableText({ maxLength: MAX_IDENTIFIER_LENGTH, description });

/** Any other text, of any length: without NUL and without halves of surrogate pairs. */
export const StorableText = (description: string) =>
  Pattern(`^[^\\u0000${SURROGATES}]*$`, 'must not contain NUL or half of a surrogate pair', {
    description,
  });

/** White space (category Z). */
const SPACES = ' \\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000';

/**
 * `c2c-sys-…`: names the vehicle's message link and stands in the MQTT topics, so the characters
 * with a meaning in topics (`/`, `+`, `#`) and white space are not allowed.
 */
export const SystemId = Pattern(
  `^[^${CONTROLS}${SURROGATES}${SPACES}/+#$]+$`,
  'must not contain white space, control characters, or any of / + # $, which have a meaning in topics',
  {
    minLength: 1,
    maxLength: 128,
    description: 'Unique id of the vehicle’s message link (contract section 2), based on the VIN.',
  },
);

/**
 * Any text without NUL, which no database stores: comments of people, and search texts.
 *
 * @param maxLength characters
 */
export const Text = (maxLength: number, description: string, minLength = 0) =>
  Pattern('^[^\\u0000]*$', 'must not contain the character NUL', {
    minLength,
    maxLength,
    description,
  });
