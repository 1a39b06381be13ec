/** Writes a dossier: all records, chained, time-stamped if an authority is configured, and sealed. */
import { createWriteStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type DossierRecord } from '../../contract/carota-api/index.js';
import { GENESIS, seal, sortedJson, writeChainLine } from '../../service/chain/index.js';
import { type Database } from '../../service/database/index.js';
import { type TimeStamp } from '../../service/time-stamp/index.js';
import { type PlainJson } from '../../uptane/json/canonical-json.js';
import { type Signer } from '../../uptane/signing/index.js';
import { spareKey, vinKeys } from '../pseudonyms/index.js';
import { readCampaign } from './read-dossier.js';
import { dossierRecords } from './records.js';
import { isPseudonymous, redacted, vinsIn } from './redact.js';

export interface DossierWriter {
  /** Where pseudonyms are kept. */
  readonly database: Database;
  readonly reading: Database;
  /** Seals the dossier. */
  readonly sealKey: Signer;
  /** Asks the time-stamping authority; undefined: none is set. @param hash SHA-256, hexadecimal @throws TimeStampUnavailable */
  readonly timeStamp?: ((hash: string) => Promise<TimeStamp>) | undefined;
  /** ms */
  readonly clock: () => number;
}

/**
 * Writes the dossier from one snapshot. It is written to a file first, so that a slow reader does not hold the snapshot and
 * a fault becomes an error instead of a truncated file. Time stamp and seal are added after the transaction, which does not
 * wait for them.
 *
 * @param file must not exist; the caller removes it
 * @returns false: the schedule does not exist
 * @throws DatabaseError, TimeStampUnavailable
 */
export async function writeDossier(
  writer: DossierWriter,
  refId: string,
  pseudonymous: boolean,
  file: string,
): Promise<boolean> {
  const chain = new DossierChain();
  const isThere = await writer.reading.transaction(async (tx) => {
    await tx.script('set transaction isolation level repeatable read, read only');
    const campaign = await readCampaign(tx, refId);
    if (!campaign) return false;
    const batches = dossierRecords(tx, campaign, { pseudonymous, now: writer.clock() });
    const given = pseudonymous ? underPseudonyms(writer.database, batches) : batches;
    const lines = chain.linesOf(given);
    const output = createWriteStream(file, { flags: 'wx', mode: 0o600 });
    await pipeline(Readable.from(lines, { objectMode: false }), output);
    return true;
  });
  if (isThere) await appendFile(file, await endOf(chain, writer));
  return isThere;
}

async function* underPseudonyms(
  database: Database,
  batches: AsyncIterable<readonly DossierRecord[]>,
): AsyncGenerator<DossierRecord[]> {
  const spare = spareKey();
  for await (const batch of batches) {
    const kept = batch.filter(isPseudonymous);
    const vins = kept.flatMap(vinsIn);
    // In separate transactions, which see changes after the dossier's snapshot, such as an erased vehicle.
    const keys = await database.transaction((tx) => vinKeys(tx, vins, spare));
    yield kept.map((record) => redacted(record, keys));
  }
}

/** The records so far; only the head is kept. */
class DossierChain {
  readonly #counts: Record<string, number> = {};
  head = GENESIS;
  count = 0;

  get counts(): Record<string, number> {
    return { ...this.#counts };
  }

  /** @returns texts of whole lines */
  async *linesOf(batches: AsyncIterable<readonly DossierRecord[]>): AsyncGenerator<string> {
    for await (const batch of batches) yield batch.map((record) => this.lineOf(record)).join('');
  }

  lineOf(record: DossierRecord): string {
    const plain = record as Readonly<Record<string, PlainJson>>;
    const { line, hash } = writeChainLine(this.head, plain);
    this.head = hash;
    this.count += 1;
    this.#counts[record.type] = (this.#counts[record.type] ?? 0) + 1;
    return `${line}\n`;
  }
}

/** The last lines. @throws TimeStampUnavailable */
async function endOf(
  chain: DossierChain,
  { sealKey, timeStamp, clock }: DossierWriter,
): Promise<string> {
  const lines = [chain.lineOf({ type: 'end', counts: chain.counts })];
  if (timeStamp) {
    const imprint = chain.head;
    const { time, token } = await timeStamp(imprint);
    lines.push(
      chain.lineOf({
        type: 'timestamp',
        imprint,
        time: new Date(time).toISOString(),
        token: Buffer.from(token).toString('base64'),
      }),
    );
  }
  const { count, head: hash } = chain;
  const sealed = await seal(sealKey, { from: 1, to: count, hash, time: clock() });
  lines.push(`${sortedJson({ type: 'seal', key: { ...sealKey.key }, seal: { ...sealed } })}\n`);
  return lines.join('');
}
