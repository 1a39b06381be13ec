/**
 * A hash chain: each record's hash covers the record and the hash before it, so that the last hash stands for all records
 * and their order. Pure.
 */
import { createHash } from 'node:crypto';
import { canonicalJson, type PlainJson } from '../../uptane/json/canonical-json.js';
import { type JsonObject } from '../../uptane/json/json-value.js';

/** A chained record: a JSON object whose numbers are integers within ±(2^53-1). */
export type ChainRecord = Readonly<Record<string, PlainJson>> | JsonObject;

/** The hash before the first record. */
export const GENESIS = '0'.repeat(64);

/** A hash of a chain as text. */
export const LINK_HASH = /^[0-9a-f]{64}$/;

/**
 * Lower-case hex SHA-256 over the UTF-8 of the previous hash, a line feed, and the record in canonical JSON (OLPC).
 *
 * @throws NotCanonical
 */
export const linkHash = (previous: string, record: ChainRecord): string =>
  createHash('sha256').update(`${previous}\n`).update(canonicalJson(record)).digest('hex');
