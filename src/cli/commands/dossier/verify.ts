/** `otaops dossier verify`: whether a dossier is the one that was sealed. Needs no server. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command } from 'commander';
import { type VerifiedDossier } from '../../../carota/dossier/index.js';
import { certificatesIn } from '../../../service/tls/certificate.js';
import { print, printJson } from '../../output.js';
import { addExamples } from '../../server-command.js';

interface VerifyFlags {
  readonly key?: string;
  readonly timestampCa?: string;
  readonly json?: boolean;
  readonly pdf?: string;
}

export function verifyCommand(dossier: Command): void {
  const command = dossier
    .command('verify <file>')
    .description(
      'verify a dossier in JSON Lines; exits with 1 if it was changed after it was sealed',
    )
    .option('--key <file>', 'public key to trust for the seal (audit-key.pub of the server)')
    .option('--timestamp-ca <file>', 'certificates of the time-stamping authorities to trust, PEM')
    .option('--pdf <file>', 'also print it as a PDF')
    .option('--json', 'print JSON, for programs')
    .action(async (file: string, flags: VerifyFlags) => {
      const { verifyDossier, writePdf } = await import('../../../carota/dossier/index.js');
      const { readPublicKeyFile } = await import('../../../uptane/signing/index.js');
      const keys = flags.key === undefined ? undefined : [await readPublicKeyFile(flags.key)];
      const verified = await verifyDossier(createReadStream(file), keys);
      const stamp = await checkedTime(verified, flags.timestampCa);
      if (flags.pdf !== undefined) await writePdf(file, flags.pdf);
      if (flags.json) printJson({ ...verified, timeStamp: stamp ?? null });
      else tell(verified, stamp, keys !== undefined);
    });
  addExamples(command, [
    'otaops dossier verify 0909.jsonl --key audit-key.pub',
    'otaops dossier verify 0909.jsonl --key audit-key.pub --timestamp-ca tsa.pem --pdf 0909.pdf',
  ]);
}

interface CheckedTime {
  readonly time: string;
  readonly authority: string;
}

/** @throws BadTimeStamp, also where authorities are given and there is no time stamp */
async function checkedTime(
  { timeStamp }: VerifiedDossier,
  caFile: string | undefined,
): Promise<CheckedTime | undefined> {
  const { BadTimeStamp, checkTimeStamp } = await import('../../../service/time-stamp/index.js');
  if (!timeStamp) {
    if (caFile !== undefined) throw new BadTimeStamp('the dossier has no time stamp');
    return undefined;
  }
  const trusted = caFile === undefined ? undefined : certificatesIn(await readFile(caFile, 'utf8'));
  const token = Buffer.from(timeStamp.token, 'base64');
  try {
    const { time, authority } = checkTimeStamp(token, { imprint: timeStamp.imprint, trusted });
    return { time: new Date(time).toISOString(), authority };
  } catch (error) {
    if (!(error instanceof BadTimeStamp)) throw error;
    throw new BadTimeStamp(`the time stamp ${error.message}`);
  }
}

function tell(
  { refId, count, head, sealedAt, keyId, pseudonymous }: VerifiedDossier,
  stamp: CheckedTime | undefined,
  isTrusted: boolean,
): void {
  print(`intact: ${refId}, ${count} records${pseudonymous ? ', with pseudonyms' : ''}`);
  print(`  chain   ${head}`);
  print(`  sealed  ${new Date(sealedAt).toISOString()} by key ${keyId}`);
  if (!isTrusted) print('          not compared with a trusted key (--key)');
  if (stamp) print(`  time    ${stamp.time} by ${stamp.authority}`);
}
