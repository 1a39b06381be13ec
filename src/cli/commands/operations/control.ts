/** `otaops operations pause`, `resume`, `cancel`, `retrigger` and `change`. */
import { type Command, Option } from 'commander';
import {
  type CancelledOperation,
  controlApi,
  type Operation,
  type OperationChange,
} from '../../../contract/adapter-api/index.js';
import { type TriggerRate } from '../../../contract/index.js';
import { serverCommand, clientOf, type CommonFlags } from '../../server-command.js';
import { option, reasonOption, stateOption } from '../../options.js';
import { print, printJson } from '../../output.js';
import { parseAtLeastOne, parseFactor, parsePriority, parseRate } from '../../settings/parsers.js';
import { UsageError } from '../../usage-error.js';

interface ControlFlags extends CommonFlags {
  readonly reason?: string;
}

export function controlCommands(operations: Command): void {
  for (const [action, route, description] of [
    ['pause', controlApi.pauseOperation, 'send no more triggers until resumed'],
    ['resume', controlApi.resumeOperation, 'resume sending triggers'],
    [
      'cancel',
      controlApi.cancelOperation,
      'never send the remaining triggers; reports how many were already sent',
    ],
  ] as const) {
    serverCommand(operations, {
      usage: `${action} <ref-id>`,
      description,
      examples: [`otaops operations ${action} "schedule 0909" --reason "ticket 4711"`],
    })
      .addOption(reasonOption())
      .action(async (refId: string, flags: ControlFlags) => {
        const client = await clientOf(flags);
        const answer = await client.call(route, {
          params: { 'ref-id': refId },
          body: reasonOf(flags),
        });
        if (flags.json) printJson(answer);
        else printControl(answer);
      });
  }

  serverCommand(operations, {
    usage: 'retrigger <ref-id> [vin]',
    description: 'a new attempt for one vehicle, or for all in a state',
    examples: [
      'otaops operations retrigger fix 5YJSA1E40FF345678',
      'otaops operations retrigger fix --state download_fail --reason "CDN is fixed"',
    ],
  })
    .addOption(stateOption('all vehicles in this state'))
    .addOption(reasonOption())
    .action(
      async (refId: string, vin: string | undefined, flags: ControlFlags & RetriggerFlags) => {
        const { state } = flags;
        if ((vin === undefined) === (state === undefined)) {
          throw new UsageError('give either a VIN or --state');
        }
        const client = await clientOf(flags);
        if (vin !== undefined) {
          const vehicle = await client.call(controlApi.retriggerVehicle, {
            params: { 'ref-id': refId, vin },
            body: reasonOf(flags),
          });
          if (flags.json) printJson(vehicle);
          else print(`${vehicle.vin}: ${vehicle.state}, attempt ${vehicle.attempt}`);
        } else if (state !== undefined) {
          const answer = await client.call(controlApi.retriggerVehicles, {
            params: { 'ref-id': refId },
            body: { state, ...reasonOf(flags) },
          });
          const { retriggered } = answer;
          if (flags.json) printJson(answer);
          else print(`${retriggered} ${retriggered === 1 ? 'vehicle' : 'vehicles'} retriggered`);
        }
      },
    );

  serverCommand(operations, {
    usage: 'change <ref-id>',
    description: 'change rate and priority, even while it runs',
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
    .option('--no-rate', 'remove the rate limit of this operation')
    .addOption(option('--factor <number>', 'multiply the rate by this …', parseFactor))
    .addOption(option('--after <vehicles>', '… each time this many vehicles', parseAtLeastOne))
    .addOption(new Option('--of <what>', 'are').choices(['notified', 'succeeded']))
    .addOption(option('--at-most <per-second>', 'upper bound of the growing rate', parseRate))
    .addOption(reasonOption())
    .action(async (refId: string, flags: ControlFlags & ChangeFlags) => {
      const client = await clientOf(flags);
      const answer = await client.call(controlApi.changeOperation, {
        params: { 'ref-id': refId },
        body: { ...changeOf(flags), ...reasonOf(flags) },
      });
      if (flags.json) printJson(answer);
      else printControl(answer);
    });
}

interface RetriggerFlags {
  readonly state?: string;
}

interface ChangeFlags {
  readonly priority?: number;
  /** false: no limit; true: commander's default, flag not given. */
  readonly rate?: number | boolean;
  readonly factor?: number;
  readonly after?: number;
  readonly of?: TriggerRate['of'];
  readonly atMost?: number;
}

function changeOf({ priority, rate, factor, after, of, atMost }: ChangeFlags): OperationChange {
  const change = priority === undefined ? {} : { priority };
  if (rate === false) return { ...change, rate: null };
  if (typeof rate !== 'number') {
    const growth = { factor, after, of, atMost };
    const given = Object.values(growth).some((value) => value !== undefined);
    if (given) throw new UsageError('--factor, --after, --of and --at-most need --rate');
    if (priority === undefined) throw new UsageError('give --priority, --rate or --no-rate');
    return change;
  }
  return {
    ...change,
    rate: {
      perSecond: rate,
      ...(factor === undefined ? {} : { factor }),
      ...(after === undefined ? {} : { after }),
      ...(of === undefined ? {} : { of }),
      ...(atMost === undefined ? {} : { atMost }),
    },
  };
}

const reasonOf = ({ reason }: ControlFlags) => (reason === undefined ? {} : { reason });

function printControl(operation: Operation | CancelledOperation): void {
  const { status, priority, rate } = operation;
  const limit = rate === null ? 'no limit' : `${rate.perSecond} triggers per second`;
  print(`${operation['ref-id']}: ${status}, priority ${priority}, ${limit}`);
  if (!('stopped' in operation)) return;
  const { stopped, inFlight, alreadySent } = operation;
  print(
    `  ${stopped} vehicles will not receive a trigger (${inFlight} of them may just have received it)`,
  );
  print(`  ${alreadySent} vehicles were already triggered and may still update`);
}
