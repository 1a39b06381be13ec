/** Writes a dossier: all records, chained, time-stamped where an authority is set, and sealed. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type DossierRecord } from '../../contract/carota-api/index.js';
import { GENESIS, seal, sortedJson, writeChainLine } from '../../service/chain/index.js';
import { type Database, type Queryable } from '../../service/database/index.js';
import { type TimeStamp } from '../../service/time-stamp/index.js';
import { type PlainJson } from '../../uptane/json/canonical-json.js';
import { type Signer } from '../../uptane/signing/index.js';
import { vinKeys } from '../pseudonyms/index.js';
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
 * Writes the dossier as it is stored at one moment. It goes to a file first: then no slow reader holds the moment, and a
 * fault is an error and not a file that breaks off.
 *
 * @param file must not exist; whoever calls removes it
 * @returns false: there is no such schedule
 * @throws DatabaseError, TimeStampUnavailable
 */
export async function writeDossier(
  writer: DossierWriter,
  refId: string,
  pseudonymous: boolean,
  file: string,
): Promise<boolean> {
  return writer.reading.transaction(async (tx) => {
    await tx.script('set transaction isolation level repeatable read, read only');
    const campaign = await readCampaign(tx, refId);
    if (!campaign) return false;
    const batches = dossierRecords(tx, campaign, { pseudonymous, now: writer.clock() });
    const given = pseudonymous ? underPseudonyms(writer.database, batches) : batches;
    const lines = dossierLines(writer, given);
    const output = createWriteStream(file, { flags: 'wx', mode: 0o600 });
    await pipeline(Readable.from(lines, { objectMode: false }), output);
    return true;
  });
}

async function* underPseudonyms(
  database: Queryable,
  batches: AsyncIterable<readonly DossierRecord[]>,
): AsyncGenerator<DossierRecord[]> {
  for await (const batch of batches) {
    const kept = batch.filter(isPseudonymous);
    const keys = await vinKeys(database, kept.flatMap(vinsIn));
    yield kept.map((record) => redacted(record, keys));
  }
}

/** @returns texts of whole lines */
async function* dossierLines(
  { sealKey, timeStamp, clock }: DossierWriter,
  batches: AsyncIterable<readonly DossierRecord[]>,
): AsyncGenerator<string> {
  let head = GENESIS;
  let count = 0;
  const counts: Record<string, number> = {};
  const lineOf = (record: DossierRecord) => {
    const { line, hash } = writeChainLine(head, record as Readonly<Record<string, PlainJson>>);
    head = hash;
    count += 1;
    counts[record.type] = (counts[record.type] ?? 0) + 1;
    return `${line}\n`;
  };
  for await (const batch of batches) yield batch.map(lineOf).join('');
  yield lineOf({ type: 'end', counts: { ...counts } });
  if (timeStamp) {
    const imprint = head;
    const { time, token } = await timeStamp(imprint);
    yield lineOf({
      type: 'timestamp',
      imprint,
      time: new Date(time).toISOString(),
      token: Buffer.from(token).toString('base64'),
    });
  }
  const sealed = await seal(sealKey, { from: 1, to: count, hash: head, time: clock() });
  yield `${sortedJson({ type: 'seal', key: { ...sealKey.key }, seal: { ...sealed } })}\n`;
}
