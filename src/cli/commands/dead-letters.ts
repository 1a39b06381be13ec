/** `otaops dead-letters`: what vehicles sent and could not be applied, and another try for it. */
import { type Command } from 'commander';
import { path } from '../adapter-client.js';
import { adapterCommand, clientOf, collect, type CommonFlags } from '../adapter-command.js';
import { print, printJson, printTable } from '../output.js';
import { limitOption } from '../options.js';

interface FilterFlags extends CommonFlags {
  readonly reason?: string;
  readonly status?: string;
  readonly vin?: string;
  readonly systemId?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

interface DeadLetterShown {
  readonly id: string;
  readonly receivedAt: string;
  readonly vin: string | null;
  readonly system_id: string | null;
  readonly status: string;
  readonly reason: string;
  readonly path: string;
  readonly detail: string;
  readonly payload: string;
  readonly replayedAt: string | null;
}

interface Tally {
  readonly applied: number;
  readonly duplicate: number;
  readonly refused: number;
  readonly more: boolean;
}

const filterOf = ({ reason, status, vin, systemId, from, to }: FilterFlags) => ({
  ...(reason === undefined ? {} : { reason }),
  ...(status === undefined ? {} : { status }),
  ...(vin === undefined ? {} : { vin }),
  ...(systemId === undefined ? {} : { system_id: systemId }),
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});

const withFilters = (command: Command): Command =>
  command
    .option('--reason <code>', 'only with this reason, e.g. VEHICLE_NOT_REGISTERED')
    .option('--status <status>', 'only INVALID, EXPIRED or DEVICE_NOT_FOUND')
    .option('--vin <vin>', 'only of this vehicle')
    .option('--system-id <id>', 'only of this system_id')
    .option('--from <time>', 'only received then or later')
    .option('--to <time>', 'only received before');

export function deadLettersCommand(program: Command): void {
  const deadLetters = program
    .command('dead-letters')
    .description('what vehicles sent and could not be applied');

  withFilters(
    adapterCommand(deadLetters, {
      usage: 'list',
      description: 'list them, newest first',
      examples: [
        'otaops dead-letters list --reason VEHICLE_NOT_REGISTERED',
        'otaops dead-letters list --json --limit 1 | jq -r ".[0].payload" | base64 -d',
      ],
    }),
  )
    .option('--replayed', 'also those that were replayed')
    .addOption(limitOption(100))
    .action(async (flags: FilterFlags & { replayed?: boolean }) => {
      const client = await clientOf(flags);
      const query = { ...filterOf(flags), ...(flags.replayed ? {} : { replayed: false }) };
      const items = await collect(
        client.items<DeadLetterShown>(['dead-letters'], query, flags.limit),
      );
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['id', 'received', 'vin', 'status', 'reason', 'path', 'detail'],
        items.map((letter) => [
          letter.id,
          letter.receivedAt,
          letter.vin ?? letter.system_id,
          letter.status,
          letter.reason,
          letter.path,
          letter.detail,
        ]),
      );
    });

  withFilters(
    adapterCommand(deadLetters, {
      usage: 'replay [id]',
      description: 'take one, or all that match, once more, after the cause was mended',
      examples: [
        'otaops dead-letters replay 8c5e2f0a-…',
        'otaops dead-letters replay --reason VEHICLE_NOT_REGISTERED --why "imported yesterday"',
      ],
    }),
  )
    .option('--why <text>', 'kept in the audit log')
    .addOption(limitOption(1_000))
    .action(async (id: string | undefined, flags: FilterFlags & { why?: string }) => {
      const client = await clientOf(flags);
      if (id !== undefined) {
        const answer = await client.request<{ outcome: string; reason: string | null }>(
          'POST',
          path(['dead-letters', id, 'replay']),
        );
        if (flags.json) printJson(answer);
        else print(`${answer.outcome}${answer.reason === null ? '' : `: ${answer.reason}`}`);
        return;
      }
      const { limit, why } = flags;
      const body = { ...filterOf(flags), limit, ...(why === undefined ? {} : { why }) };
      const tally = await client.request<Tally>('POST', path(['dead-letters', 'replay']), body);
      if (flags.json) {
        printJson(tally);
        return;
      }
      const { applied, duplicate, refused, more } = tally;
      print(`${applied} applied, ${duplicate} duplicates, ${refused} refused again`);
      if (more) print('there are more: call it again');
    });
}
