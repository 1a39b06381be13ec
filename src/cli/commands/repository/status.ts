/** `otaops repository status` */
import { type Command } from 'commander';
import { type RepositoryStatus } from '../../../uptane/repository/index.js';
import { print, printJson, printTable } from '../../output.js';
import { repositoryIn } from './folder.js';

/** A file has expired, expires soon, or is not accepted by vehicles. Exit code 1, for monitoring. */
class NeedsAttention extends Error {
  override readonly name = 'NeedsAttention';
}

export function statusCommand(repository: Command): void {
  repository
    .command('status')
    .description('show roles, versions, expiries, signers, and missing signatures of a proposal')
    .argument('<folder>', 'the repository')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1: a file has expired, expires soon, or needs signatures.')
    .action(async (folder: string, { json }: { json?: boolean }) => {
      const images = await repositoryIn(folder);
      const status = await images.status(new Date());
      if (json) printJson(status);
      else printStatus(status);
      if (status.attention.length > 0) throw new NeedsAttention(status.attention.join('\n'));
    });
}

const SHORT_ID = 12;
const short = (ids: readonly string[]) => ids.map((id) => id.slice(0, SHORT_ID)).join(' ') || '-';

function printStatus({ published, proposed, faults }: RepositoryStatus): void {
  printTable(
    ['role', 'version', 'expires', 'days left', 'threshold', 'signed by'],
    published.map(({ role, version, expires, daysLeft, threshold, keys, signedBy }) => [
      role,
      version,
      expires,
      daysLeft.toFixed(1),
      `${threshold} of ${keys.length}`,
      short(signedBy),
    ]),
  );
  for (const { role, version, expires, signatures, broken, foreign } of proposed) {
    print();
    print(`proposed: ${role} version ${version}, expires ${expires}`);
    for (const { by, threshold, signedBy, canSign, missing } of signatures) {
      const rest = missing === 0 ? '' : `, ${missing} missing; can sign: ${short(canSign)}`;
      print(`  ${by}: ${signedBy.length} of ${threshold} signatures (${short(signedBy)})${rest}`);
    }
    if (broken.length > 0)
      print(`  invalid, because the proposal was changed afterwards: ${short(broken)}`);
    if (foreign.length > 0) print(`  by keys that do not belong to the role: ${short(foreign)}`);
  }
  for (const fault of faults) print(`fault: ${fault}`);
}
