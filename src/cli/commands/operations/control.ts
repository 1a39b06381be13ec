/** `otaops operations pause`, `resume`, `cancel`, `retrigger` and `change`. */
import { type Command, Option } from 'commander';
import { path } from '../../adapter-client.js';
import { adapterCommand, clientOf, type CommonFlags } from '../../adapter-command.js';
import { option, stateOption } from '../../options.js';
import { print, printJson } from '../../output.js';
import { parseAtLeastOne, parseFactor, parsePriority, parseRate } from '../../settings/parsers.js';
import { UsageError } from '../../usage-error.js';
import { OPERATIONS, type OperationShown, type VehicleShown } from './shown.js';

interface ControlFlags extends CommonFlags {
  readonly reason?: string;
}

export function controlCommands(operations: Command): void {
  const why = ['--reason <text>', 'why; kept in the audit log'] as const;

  for (const [action, description] of [
    ['pause', 'send no more triggers until resumed'],
    ['resume', 'send triggers again'],
    ['cancel', 'never send the remaining triggers; reports how many were already sent'],
  ] as const) {
    adapterCommand(operations, {
      usage: `${action} <ref-id>`,
      description,
      examples: [`otaops operations ${action} "schedule 0909" --reason "ticket 4711"`],
    })
      .option(...why)
      .action(async (refId: string, flags: ControlFlags) => {
        const client = await clientOf(flags);
        const answer = await client.request<OperationShown & Partial<CancelShown>>(
          'POST',
          path([...OPERATIONS, refId, action]),
          reasonOf(flags),
        );
        if (flags.json) printJson(answer);
        else tellControl(answer);
      });
  }

  adapterCommand(operations, {
    usage: 'retrigger <ref-id> [vin]',
    description: 'a new attempt for one vehicle, or for all in a state',
    examples: [
      'otaops operations retrigger fix 5YJSA1E40FF345678',
      'otaops operations retrigger fix --state download_fail --reason "CDN is fixed"',
    ],
  })
    .addOption(stateOption('all vehicles in this state'))
    .option(...why)
    .action(
      async (refId: string, vin: string | undefined, flags: ControlFlags & RetriggerFlags) => {
        if ((vin === undefined) === (flags.state === undefined)) {
          throw new UsageError('give either a VIN or --state');
        }
        const client = await clientOf(flags);
        const answer = await (vin === undefined
          ? client.request<{ retriggered: number }>(
              'POST',
              path([...OPERATIONS, refId, 'retrigger']),
              { state: flags.state, ...reasonOf(flags) },
            )
          : client.request<VehicleShown>(
              'POST',
              path([...OPERATIONS, refId, 'vehicles', vin, 'retrigger']),
              reasonOf(flags),
            ));
        if (flags.json) printJson(answer);
        else if ('retriggered' in answer)
          print(
            `${answer.retriggered} ${answer.retriggered === 1 ? 'vehicle' : 'vehicles'} retriggered`,
          );
        else print(`${answer.vin}: ${answer.state}, attempt ${answer.attempt}`);
      },
    );

  adapterCommand(operations, {
    usage: 'change <ref-id>',
    description: 'rate and priority, also while it runs',
    examples: [
      'otaops operations change fix --priority 5',
      'otaops operations change fix --rate 10 --factor 2 --after 1000 --of succeeded --at-most 200',
      'otaops operations change fix --no-rate',
    ],
  })
    .addOption(
      option('--priority <number>', 'from -10 to 10; each step doubles its share', parsePriority),
    )
    .addOption(option('--rate <per-second>', 'triggers per second', parseRate))
    .option('--no-rate', 'remove the limit of this operation')
    .addOption(option('--factor <number>', 'multiply the rate by this …', parseFactor))
    .addOption(option('--after <vehicles>', '… each time this many vehicles', parseAtLeastOne))
    .addOption(new Option('--of <what>', 'are').choices(['notified', 'succeeded']))
    .addOption(option('--at-most <per-second>', 'upper limit of the growing rate', parseRate))
    .option(...why)
    .action(async (refId: string, flags: ControlFlags & ChangeFlags) => {
      const client = await clientOf(flags);
      const answer = await client.request<OperationShown>('PATCH', path([...OPERATIONS, refId]), {
        ...changeOf(flags),
        ...reasonOf(flags),
      });
      if (flags.json) printJson(answer);
      else tellControl(answer);
    });
}

interface RetriggerFlags {
  readonly state?: string;
}

interface ChangeFlags {
  readonly priority?: number;
  /** false: no limit of its own; true: commander's default, nothing was said. */
  readonly rate?: number | boolean;
  readonly factor?: number;
  readonly after?: number;
  readonly of?: string;
  readonly atMost?: number;
}

function changeOf({ priority, rate, factor, after, of, atMost }: ChangeFlags): object {
  const change = priority === undefined ? {} : { priority };
  if (rate === false) return { ...change, rate: null };
  if (typeof rate !== 'number') {
    const growth = { factor, after, of, atMost };
    const given = Object.values(growth).some((value) => value !== undefined);
    if (given) throw new UsageError('--factor, --after, --of and --at-most need --rate');
    if (priority === undefined) throw new UsageError('give --priority, --rate or --no-rate');
    return change;
  }
  const growth = { factor, after, of, atMost };
  return { ...change, rate: { perSecond: rate, ...growth } };
}

interface CancelShown {
  readonly stopped: number;
  readonly inFlight: number;
  readonly alreadySent: number;
}

const reasonOf = ({ reason }: ControlFlags) => (reason === undefined ? {} : { reason });

function tellControl(operation: OperationShown & Partial<CancelShown>): void {
  const { status, priority, rate, stopped, inFlight = 0, alreadySent } = operation;
  const limit = rate === null ? 'no limit' : `${rate.perSecond} triggers per second`;
  print(`${operation['ref-id']}: ${status}, priority ${priority}, ${limit}`);
  if (stopped === undefined) return;
  print(
    `  ${stopped} vehicles will not be sent a trigger (${inFlight} of them may just have been sent it)`,
  );
  print(`  ${alreadySent ?? 0} vehicles were already sent theirs and may still update`);
}
