/** Schemas of the strings and objects that messages are made of. */
import { Pattern } from './pattern.js';

/**
 * Characters above ASCII but for control characters and halves of surrogate pairs. Written as ranges, which every
 * language's regular expressions know, so that the pattern can be used by whoever reads our documents.
 */
export const ABOVE_ASCII = '\\u00A0-\\uD7FF\\uE000-\u{10FFFF}';

/**
 * Text without control characters and without lone surrogates: whatever passes can be stored as
 * UTF-8 and compared byte by byte in every part of the system.
 */
export const PrintableText = (options: Parameters<typeof Pattern>[2] = {}) =>
  Pattern(`^[ -~${ABOVE_ASCII}]*$`, 'must not contain control characters', options);

/** Longest identifier that we take, in UTF-16 code units. */
export const MAX_IDENTIFIER_LENGTH = 256;

/** A name given by a person or a system, e.g. `ref-id`, `model`: 1 to 256 printable characters. */
export const Identifier = (description: string) =>
  PrintableText({ minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, description });

/** The same, but may be empty, as `sub_system_id` and `correlation_id` often are. */
export const OptionalIdentifier = (description: string) =>
  PrintableText({ maxLength: MAX_IDENTIFIER_LENGTH, description });

/** The same without space of any kind (category Z). */
const ABOVE_ASCII_NO_SPACE =
  '\\u00A1-\\u167F\\u1681-\\u1FFF\\u200B-\\u2027\\u202A-\\u202E\\u2030-\\u205E\\u2060-\\u2FFF\\u3001-\\uD7FF\\uE000-\u{10FFFF}';

/**
 * `c2c-sys-…`: names the vehicle's message link and stands in the MQTT topics, so the characters
 * with a meaning in topics (`/`, `+`, `#`) and white space are not allowed.
 */
export const SystemId = Pattern(
  `^[!"%-*,\\-.0-~${ABOVE_ASCII_NO_SPACE}]+$`,
  'must not contain white space, control characters, or any of / + # $, which have a meaning in topics',
  {
    minLength: 1,
    maxLength: 128,
    description: 'Unique id of the vehicle’s message link (contract section 2), based on the VIN.',
  },
);

/**
 * Any text but NUL, which no database holds: words of people, and what they look for.
 *
 * @param maxLength characters
 */
export const Text = (maxLength: number, description: string, minLength = 0) =>
  Pattern('^[^\\u0000]*$', 'must not contain the character NUL', {
    minLength,
    maxLength,
    description,
  });
