/** Schemas of the strings and objects that messages are made of. */
import { Pattern } from './pattern.js';

/**
 * Text without control characters and without lone surrogates: whatever passes can be stored as
 * UTF-8 and compared byte by byte in every part of the system.
 */
export const PrintableText = (options: Parameters<typeof Pattern>[2] = {}) =>
  Pattern('^[^\\p{Cc}\\p{Cs}]*$', 'must not contain control characters', options);

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
  Pattern('^[^\\u0000\\p{Cs}]*$', 'must not contain NUL or half of a surrogate pair', {
    description,
  });

/**
 * `c2c-sys-…`: names the vehicle's message link and stands in the MQTT topics, so the characters
 * with a meaning in topics (`/`, `+`, `#`) and white space are not allowed.
 */
export const SystemId = Pattern(
  '^[^\\p{Cc}\\p{Cs}\\p{Z}/+#$]+$',
  'must not contain white space, control characters, or any of / + # $, which have a meaning in topics',
  {
    minLength: 1,
    maxLength: 128,
    description: 'Unique id of the vehicle’s message link (contract section 2), based on the VIN.',
  },
);
