/** `otaops dead-letters`: messages that could not be applied, and their replay. */
import { type Command, Option } from 'commander';
import {
  DEAD_LETTER_STATUSES,
  deadLetterApi,
  type DeadLetterFilter,
} from '../../contract/adapter-api/index.js';
import { type Client, DEAD_LETTER_REASONS, type DeadLetterReason } from '../../contract/index.js';
import { serverCommand, clientOf, collect, type CommonFlags } from '../server-command.js';
import { print, printJson, printTable } from '../output.js';
import { limitOption, option, reasonOption, timeOption } from '../options.js';
import { parseVin } from '../settings/parsers.js';
import { UsageError } from '../usage-error.js';

interface FilterFlags extends CommonFlags {
  readonly code?: DeadLetterReason;
  readonly status?: (typeof DEAD_LETTER_STATUSES)[number];
  readonly vin?: string;
  readonly systemId?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

const filterOf = ({ code, status, vin, systemId, from, to }: FilterFlags): DeadLetterFilter => ({
  ...(code === undefined ? {} : { reason: code }),
  ...(status === undefined ? {} : { status }),
  ...(vin === undefined ? {} : { vin }),
  ...(systemId === undefined ? {} : { system_id: systemId }),
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});

const withFilters = (command: Command): Command =>
  command
    .addOption(new Option('--code <code>', 'only with this reason').choices(DEAD_LETTER_REASONS))
    .addOption(
      new Option('--status <status>', 'only with this status').choices(DEAD_LETTER_STATUSES),
    )
    .addOption(option('--vin <vin>', 'only from this vehicle', parseVin))
    .option('--system-id <id>', 'only from this system_id')
    .addOption(timeOption('--from', 'only those received at or after this time'))
    .addOption(timeOption('--to', 'only those received before this time'));

export function deadLettersCommand(program: Command): void {
  const deadLetters = program
    .command('dead-letters')
    .description('messages from vehicles that could not be applied');

  withFilters(
    serverCommand(deadLetters, {
      usage: 'list',
      description: 'list them, newest first',
      examples: [
        'otaops dead-letters list --code VEHICLE_NOT_REGISTERED',
        'otaops dead-letters list --json --limit 1 | jq -r ".[0].payload" | base64 -d',
      ],
    }),
  )
    .option('--replayed', 'include replayed ones')
    .addOption(limitOption(100))
    .action(async (flags: FilterFlags & { replayed?: boolean }) => {
      const client = await clientOf(flags);
      const query = { ...filterOf(flags), ...(flags.replayed ? {} : { replayed: false }) };
      const items = await collect(
        client.items(deadLetterApi.listDeadLetters, { query }, flags.limit),
      );
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['id', 'received', 'vin', 'system_id', 'status', 'reason', 'path', 'detail'],
        items.map((letter) => [
          letter.id,
          letter['received-at'],
          letter.vin,
          letter.system_id,
          letter.status,
          letter.reason,
          letter.path,
          letter.detail,
        ]),
      );
    });

  withFilters(
    serverCommand(deadLetters, {
      usage: 'replay [id]',
      description: 'replay one or all matching ones after the cause is fixed',
      examples: [
        'otaops dead-letters replay 8c5e2f0a-…',
        'otaops dead-letters replay --code VEHICLE_NOT_REGISTERED --reason "imported yesterday"',
        'otaops dead-letters replay --all',
      ],
    }),
  )
    .option('--all', 'every dead letter not yet replayed')
    .addOption(reasonOption())
    .addOption(limitOption(1_000, 'maximum number of dead letters to replay'))
    .action(async (id: string | undefined, flags: ReplayFlags) => {
      const filter = filterOf(flags);
      refuseUnclear(id, filter, flags);
      const client = await clientOf(flags);
      await (id === undefined
        ? replayMatching(client, filter, flags)
        : replayOne(client, id, flags));
    });
}

interface ReplayFlags extends FilterFlags {
  readonly all?: boolean;
  readonly reason?: string;
}

/** Replays everything only if explicitly requested. @throws UsageError */
function refuseUnclear(id: string | undefined, filter: object, { all = false }: ReplayFlags): void {
  const isFiltered = Object.keys(filter).length > 0;
  const ways = [id !== undefined, isFiltered, all].filter(Boolean).length;
  if (ways === 0) throw new UsageError('give an id, a filter such as --code, or --all');
  if (ways > 1) throw new UsageError('give either an id, filters or --all');
}

const reasonOf = ({ reason }: ReplayFlags) => (reason === undefined ? {} : { reason });

/** @throws Error if it is rejected again */
async function replayOne(client: Client, id: string, flags: ReplayFlags): Promise<void> {
  const answer = await client.call(deadLetterApi.replayDeadLetter, {
    params: { id },
    body: reasonOf(flags),
  });
  if (flags.json) printJson(answer);
  else print(`${answer.outcome}${answer.reason === null ? '' : `: ${answer.reason}`}`);
  if (answer.outcome === 'refused') throw new Error('the dead letter was refused again');
}

/** @throws Error if at least one is rejected again */
async function replayMatching(
  client: Client,
  filter: DeadLetterFilter,
  flags: ReplayFlags,
): Promise<void> {
  const tally = await client.call(deadLetterApi.replayDeadLetters, {
    body: { filter, limit: flags.limit, ...reasonOf(flags) },
  });
  const { applied, duplicates, refused, more } = tally;
  if (flags.json) printJson(tally);
  else {
    print(`${applied} applied, ${duplicates} duplicates, ${refused} refused again`);
    if (more) print('more dead letters match: run the command again');
  }
  if (refused > 0) {
    throw new Error(
      `${refused} dead ${refused === 1 ? 'letter was' : 'letters were'} refused again`,
    );
  }
}
