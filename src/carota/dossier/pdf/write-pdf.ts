/** A dossier for people: a PDF generated only from its JSON Lines, so that both have the same content. */
import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { type DossierRecord } from '../../../contract/carota-api/index.js';
import { exactLines } from '../exact-lines.js';
import { verifyDossier, type VerifiedDossier } from '../verify-dossier.js';
import { blocksOf, type Block, PARTS, type Part, partOf } from './blocks.js';

/**
 * Prints only an intact dossier. Yields to other work while printing.
 *
 * @param source file of the JSON Lines
 * @param target file of the PDF; must not exist
 * @throws BadDossier
 */
export async function writePdf(source: string, target: string): Promise<VerifiedDossier> {
  const verified = await verifyDossier(createReadStream(source));
  // Fonts and their parser are loaded only when needed.
  const { Paper } = await import('./paper.js');
  const paper = new Paper({
    title: `Record of campaign ${verified.refId}`,
    foot: `${verified.refId} · chain ${verified.head}`,
    createdAt: verified.sealedAt,
  });
  const file = createWriteStream(target, { flags: 'wx', mode: 0o600 });
  paper.output.pipe(file);
  let part: Part | undefined;
  for await (const line of exactLines(createReadStream(source))) {
    const record = JSON.parse(line) as DossierRecord | { readonly type: 'seal' };
    if (record.type === 'seal') break;
    const of = partOf(record);
    if (of !== part) {
      paper.part(PARTS[of]);
      part = of;
      if (of === 'campaign') introduce(verified).forEach((block) => paper.write(block));
    }
    for (const block of blocksOf(record)) paper.write(block);
    // A long dossier holds up nothing else, and only as much is in memory as the file can take.
    if (file.writableNeedDrain) await once(file, 'drain');
    else await setImmediate();
  }
  sealBlocks(verified).forEach((block) => paper.write(block));
  paper.end();
  await finished(file);
  return verified;
}

const introduce = ({ refId, pseudonymous }: VerifiedDossier): Block[] => [
  { kind: 'heading', text: refId },
  {
    kind: 'line',
    text: `The stored plan, decisions, installations and answers${pseudonymous ? ', with pseudonyms in place of VINs' : ''}. Generated from the JSON Lines with the same chain, which are the authoritative record.`,
  },
];

const sealBlocks = ({ head, count, sealedAt, keyId }: VerifiedDossier): Block[] => [
  { kind: 'heading', text: 'Seal' },
  {
    kind: 'facts',
    facts: [
      ['head of the chain', head],
      ['records', String(count)],
      ['sealed at', new Date(sealedAt).toISOString()],
      ['key', keyId],
    ],
  },
];
