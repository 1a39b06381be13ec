/**
 * Verifies an export of an audit log: the chain from its beginning, positions without gaps, every seal, and that the export
 * is complete. Pure.
 */
import {
  AUDIT_EXPORT_FORMAT,
  AuditExportEnd,
  type AuditExportEntry,
  AuditExportHeader,
  AuditExportKey,
  AuditExportSeal,
  type AuditVerdict,
  checkOf,
} from '../../contract/index.js';
import { BrokenChain, ChainVerifier, GENESIS, type Seal, sealFault } from '../chain/index.js';
import { isObject } from '../../uptane/json/json-value.js';
import { BadJson, parseJson } from '../../uptane/json/parse-json.js';
import { type ListedKey } from '../../uptane/signing/index.js';

const HEADER = checkOf(AuditExportHeader);
const KEY = checkOf(AuditExportKey);
const SEAL = checkOf(AuditExportSeal);
const END = checkOf(AuditExportEnd);

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
    const line = this.#parse(text);
    if (this.#lines === 1) this.#takeHeader(line);
    // Its hash shows whether it is intact; a later version may have more fields.
    else if ('hash' in line) this.#takeEntry(text, line as Partial<AuditExportEntry>);
    else if (SEAL.matches(line)) this.#takeSeal(line.seal);
    else if (KEY.matches(line)) this.#named.push(line.key);
    else if (END.matches(line)) this.#takeEnd(line);
    else throw new Unusable(`line ${this.#lines} is not a line of an export`);
  }

  #parse(text: string): object {
    try {
      // Stricter than `JSON.parse`: without duplicate members.
      if (isObject(parseJson(Buffer.from(text)))) return JSON.parse(text) as object;
    } catch (error) {
      if (!(error instanceof BadJson)) throw error;
      throw new Unusable(`line ${this.#lines} ${error.message}`);
    }
    throw new Unusable(`line ${this.#lines} is not an object`);
  }

  #takeHeader(line: object): void {
    if (HEADER.matches(line) && line.previous === GENESIS) return;
    throw new Unusable(`line 1 is not the header of an export of format ${AUDIT_EXPORT_FORMAT}`);
  }

  #takeEntry(text: string, { position }: Partial<AuditExportEntry>): void {
    const expected = this.#chain.count + 1;
    if (position !== expected) {
      throw new Unusable(
        `entry ${expected} is missing: line ${this.#lines} has entry ${String(position)}`,
      );
    }
    try {
      this.#chain.take(text);
    } catch (error) {
      if (!(error instanceof BrokenChain)) throw error;
      throw new Unusable(`entry ${expected} (line ${this.#lines}) ${error.reason}`);
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

  #takeEnd({ end: { position, hash, unchained } }: AuditExportEnd): void {
    this.#hasEnded = true;
    if (position !== this.#chain.count || hash !== this.#chain.head) {
      this.#fault(`entry ${this.#chain.count + 1} is missing: the end names ${position}`);
    }
    if (unchained !== 0) {
      this.#fault(`entries that are neither in the chain nor pending: ${unchained}`);
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

/** Of a seal with any number for a time. */
const readableTime = (ms: number): string =>
  Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : 'an unknown time';
