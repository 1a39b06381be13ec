/** The id of a key (POUF, section 2). */
import { createHash } from 'node:crypto';
import { canonicalJson, type PlainJson } from '../json/canonical-json.js';
import { type JsonValue } from '../json/json-value.js';

/** Lower-case hex SHA-256 of the canonical JSON of the key object with all its members. @throws NotCanonical */
export const keyIdOf = (key: JsonValue | PlainJson): string =>
  createHash('sha256').update(canonicalJson(key)).digest('hex');
