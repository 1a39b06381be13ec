/** Verifies a dossier: every line, their order, that nothing is missing, and the seal. In constant memory. */
import { DOSSIER_FORMAT } from '../../contract/carota-api/index.js';
import {
  BrokenChain,
  ChainVerifier,
  type Seal,
  sealFault,
  sortedJson,
} from '../../service/chain/index.js';
import { canonicalJson, type PlainJson } from '../../uptane/json/canonical-json.js';
import { type JsonObject } from '../../uptane/json/json-value.js';
import { keyIdOfListed, type ListedKey } from '../../uptane/signing/index.js';
import { BadDossier } from './bad-dossier.js';
import { exactLines } from './exact-lines.js';

/** The content of an intact dossier. */
export interface VerifiedDossier {
  readonly refId: string;
  readonly pseudonymous: boolean;
  /** Records. */
  readonly count: number;
  /** Hash of the last record, which the seal covers. */
  readonly head: string;
  /** When it was sealed, ms. */
  readonly sealedAt: number;
  readonly keyId: string;
  readonly timeStamp:
    | {
        readonly imprint: string;
        /** TimeStampResp (RFC 3161), base64. */
        readonly token: string;
      }
    | undefined;
}

/**
 * @param bytes of the whole file
 * @param keys trusted keys; undefined: the key in the dossier itself, which proves that nothing has changed, but not
 * who sealed it
 * @throws BadDossier
 */
export async function verifyDossier(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  keys?: readonly ListedKey[],
): Promise<VerifiedDossier> {
  const records = new RecordsVerifier();
  let last: string | undefined;
  try {
    for await (const line of exactLines(bytes)) {
      // The last line is the seal, which is not chained.
      if (last !== undefined) records.take(last);
      last = line;
    }
  } catch (error) {
    if (error instanceof BrokenChain) throw new BadDossier(error.message);
    throw error;
  }
  if (last === undefined) throw new BadDossier('it has no lines');
  const { count, head, campaign, timeStamp } = records;
  const number = count + 1;
  const { key, seal } = sealLine(last, number);
  if (!campaign || !records.hasEnded) {
    throw new BadDossier(`line ${number} is a seal, but records are missing`);
  }
  const fault = sealFault(seal, keys ?? [key]);
  if (fault !== undefined) throw new BadDossier(`line ${number}: the seal ${fault}`);
  if (seal.from !== 1 || seal.to !== count || seal.hash !== head) {
    throw new BadDossier(`line ${number}: the seal is of other records`);
  }
  return {
    refId: textIn(campaign, 'ref-id'),
    pseudonymous: campaign.get('pseudonymous') === true,
    count,
    head,
    sealedAt: seal.time,
    keyId: seal.keyid,
    timeStamp,
  };
}

/** Verifies all lines but the seal. */
class RecordsVerifier {
  readonly #chain = new ChainVerifier();
  readonly #counts: Record<string, number> = {};
  campaign: JsonObject | undefined;
  timeStamp: VerifiedDossier['timeStamp'];
  hasEnded = false;

  get count(): number {
    return this.#chain.count;
  }

  get head(): string {
    return this.#chain.head;
  }

  /** @throws BrokenChain */
  take(line: string): void {
    const before = this.head;
    const { record } = this.#chain.take(line);
    const type = textIn(record, 'type');
    if (this.count === 1) this.#begin(type, record);
    if (this.hasEnded && (type !== 'timestamp' || this.timeStamp)) {
      throw this.#fault('comes after the end');
    }
    if (type === 'end') {
      if (sortedJson(record.get('counts') ?? null) !== sortedJson(this.#counts)) {
        throw this.#fault('states a different number of records');
      }
      this.hasEnded = true;
    }
    if (type === 'timestamp') {
      const imprint = textIn(record, 'imprint');
      if (!this.hasEnded || imprint !== before) {
        throw this.#fault('is a time stamp of something else');
      }
      this.timeStamp = { imprint, token: textIn(record, 'token') };
    }
    this.#counts[type] = (this.#counts[type] ?? 0) + 1;
  }

  #begin(type: string, record: JsonObject): void {
    if (type !== 'campaign' || record.get('format') !== DOSSIER_FORMAT) {
      throw this.#fault(`is not the beginning of a dossier (${DOSSIER_FORMAT})`);
    }
    this.campaign = record;
  }

  #fault(reason: string): BrokenChain {
    return new BrokenChain(this.count, reason);
  }
}

function textIn(record: JsonObject, name: string): string {
  const value = record.get(name);
  return typeof value === 'string' ? value : '';
}

/** @throws BadDossier unless it has exactly the form of a seal */
function sealLine(line: string, number: number): { key: ListedKey; seal: Seal } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadDossier(`line ${number} is not JSON, or the seal is missing`);
  }
  const { type, key, seal } = (value ?? {}) as { type?: unknown; key?: unknown; seal?: unknown };
  const isSeal =
    type === 'seal' && typeof key === 'object' && key && typeof seal === 'object' && seal;
  if (!isSeal)
    throw new BadDossier(`line ${number} is not the seal: the end of the dossier is missing`);
  const { from, to, count, hash, time, keyid, signature } = seal as Seal;
  const exact = { type, key, seal: { from, to, count, hash, time, keyid, signature } };
  if (!isWritten(exact as PlainJson, line) || !isKey(key)) {
    throw new BadDossier(`line ${number} does not have the form of a seal`);
  }
  if (keyIdOfListed(key) !== keyid) {
    throw new BadDossier(`line ${number}: the seal is of another key`);
  }
  return { key, seal: exact.seal };
}

/** Whether the line has the only valid form of this value. */
function isWritten(value: PlainJson, line: string): boolean {
  try {
    return canonicalJson(value).length > 0 && sortedJson(value) === line;
  } catch {
    return false;
  }
}

function isKey(value: object): value is ListedKey {
  const { keytype, scheme, keyval } = value as Partial<ListedKey>;
  return keytype === 'ed25519' && scheme === 'ed25519' && typeof keyval?.public === 'string';
}
