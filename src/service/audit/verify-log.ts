/**
 * Verifies an export of an audit log: the chain from its beginning, positions without gaps, every seal, and that the export
 * is complete. Pure.
 */
import { type AuditVerdict } from '../../contract/index.js';
import { BrokenChain, ChainVerifier, GENESIS, type Seal, sealFault } from '../chain/index.js';
import { type JsonObject, type JsonValue } from '../../uptane/json/json-value.js';
import { BadJson, parseJson } from '../../uptane/json/parse-json.js';
import { type ListedKey } from '../../uptane/signing/index.js';
import { EXPORT_FORMAT } from './export-log.js';

/** Maximum number of faults listed; more would not help. */
const MAX_FAULTS = 20;

/**
 * @param lines without their ends
 * @param trusted keys accepted for seals; undefined: those listed in the export itself, which proves less
 */
export async function verifyLog(
  lines: Iterable<string> | AsyncIterable<string>,
  trusted?: readonly ListedKey[],
): Promise<AuditVerdict> {
  const log = new LogVerifier(trusted);
  for await (const line of lines) if (!log.take(line)) break;
  return log.verdict();
}

class LogVerifier {
  readonly #trusted: readonly ListedKey[] | undefined;
  readonly #named: ListedKey[] = [];
  readonly #faults: string[] = [];
  readonly #chain = new ChainVerifier(GENESIS);
  #lines = 0;
  #seals = 0;
  #sealedTo = 0;
  #hasEnded = false;
  #isBroken = false;

  constructor(trusted: readonly ListedKey[] | undefined) {
    this.#trusted = trusted;
  }

  /** @returns whether further lines are of any use */
  take(text: string): boolean {
    this.#lines += 1;
    try {
      this.#takeLine(text);
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      this.#isBroken = true;
      this.#fault(error.message);
    }
    return !this.#isBroken && this.#faults.length < MAX_FAULTS;
  }

  verdict(): AuditVerdict {
    if (!this.#hasEnded && !this.#isBroken && this.#faults.length < MAX_FAULTS) {
      this.#fault('the export has no end: it is incomplete');
    }
    return {
      intact: this.#faults.length === 0,
      entries: this.#chain.count,
      seals: this.#seals,
      sealedTo: this.#sealedTo,
      hash: this.#chain.head,
      faults: this.#faults,
    };
  }

  #takeLine(text: string): void {
    if (this.#hasEnded) throw new Unusable(`line ${this.#lines} comes after the end`);
    const members = this.#parse(text);
    if (this.#lines === 1) this.#takeHeader(members);
    else if (members.has('hash')) this.#takeEntry(text);
    else if (members.has('seal')) this.#takeSeal(plain(members.get('seal')) as Seal);
    else if (members.has('key')) this.#named.push(plain(members.get('key')) as ListedKey);
    else if (members.has('end')) this.#takeEnd(plain(members.get('end')));
    else throw new Unusable(`line ${this.#lines} is not a line of an export`);
  }

  #parse(text: string): JsonObject {
    try {
      const value = parseJson(Buffer.from(text));
      if (value instanceof Map) return value as JsonObject;
    } catch (error) {
      if (!(error instanceof BadJson)) throw error;
      throw new Unusable(`line ${this.#lines} ${error.message}`);
    }
    throw new Unusable(`line ${this.#lines} is not an object`);
  }

  #takeHeader(members: JsonObject): void {
    if (members.get('format') === EXPORT_FORMAT && members.get('previous') === GENESIS) return;
    throw new Unusable(`line 1 is not the header of an export of format ${EXPORT_FORMAT}`);
  }

  #takeEntry(text: string): void {
    const expected = this.#chain.count + 1;
    let position: unknown;
    try {
      position = (JSON.parse(text) as { position?: unknown }).position;
      if (position !== expected) {
        throw new Unusable(
          `entry ${expected} is missing: line ${this.#lines} has entry ${String(position)}`,
        );
      }
      this.#chain.take(text);
    } catch (error) {
      if (error instanceof BrokenChain) {
        throw new Unusable(`entry ${expected} (line ${this.#lines}) ${error.reason}`);
      }
      throw error;
    }
  }

  /** A seal must follow the last entry that it covers. */
  #takeSeal(seal: Seal): void {
    const name = `the seal of ${readableTime(seal.time)} (line ${this.#lines})`;
    const fault = sealFault(seal, this.#trusted ?? this.#named);
    if (fault !== undefined) {
      this.#fault(`${name} ${fault}`);
      return;
    }
    if (seal.from !== this.#sealedTo + 1) {
      this.#fault(
        `${name} covers entries from ${seal.from}, and the one before it up to ${this.#sealedTo}: a seal is missing`,
      );
    }
    this.#sealedTo = Math.max(this.#sealedTo, seal.to);
    if (seal.to > this.#chain.count) {
      throw new Unusable(
        `entry ${this.#chain.count + 1} is missing: ${name} covers entries up to ${seal.to}`,
      );
    }
    if (seal.to < this.#chain.count || seal.hash !== this.#chain.head) {
      throw new Unusable(`${name} is of other entries than those up to ${seal.to} in this log`);
    }
    this.#seals += 1;
  }

  #takeEnd(end: unknown): void {
    const { position, hash, unchained } = end as Readonly<Record<string, unknown>>;
    this.#hasEnded = true;
    if (position !== this.#chain.count || hash !== this.#chain.head) {
      this.#fault(`entry ${this.#chain.count + 1} is missing: the end names ${String(position)}`);
    }
    if (unchained !== 0) {
      this.#fault(`entries that are neither in the chain nor pending: ${String(unchained)}`);
    }
  }

  #fault(text: string): void {
    this.#faults.push(text);
  }
}

/** Lines after the fault cannot be judged. */
class Unusable extends Error {
  override readonly name = 'Unusable';
}

/** Of a seal with arbitrary content. */
function readableTime(ms: unknown): string {
  const isTime = typeof ms === 'number' && Math.abs(ms) <= 8.64e15;
  return isTime ? new Date(ms).toISOString() : 'an unknown time';
}

/** The object of a parsed line; empty if the line is not an object. */
function plain(value: JsonValue | undefined): unknown {
  if (!(value instanceof Map)) return {};
  const members = [...(value as JsonObject)].map(([name, member]) => [
    name,
    member instanceof Map ? plain(member) : member,
  ]);
  return Object.fromEntries(members);
}
