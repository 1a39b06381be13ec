/** `otaops operations`: where operations stand, why vehicles failed, and control of them. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ProgressShown, progressView } from '../../quickstart/index.js';
import { path } from '../adapter-client.js';
import { adapterCommand, clientOf, collect, type CommonFlags } from '../adapter-command.js';
import { print, printJson, printTable } from '../output.js';
import { stopRequested } from '../stop-signals.js';

interface OperationShown extends ProgressShown {
  readonly status: string;
  readonly createdAt: string;
  readonly priority: number;
  readonly rate: { readonly perSecond: number } | null;
  readonly open: number;
}

interface VehicleShown {
  readonly 'ref-id'?: string;
  readonly vin: string;
  readonly state: string;
  readonly paused: boolean;
  readonly attempt: number;
  readonly sends: number;
  readonly reason: string | null;
  readonly updatedAt: string;
}

interface Limited extends CommonFlags {
  readonly limit: number;
}

const OPERATIONS = ['ota', 'operations'];

const wholeNumber = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('must be a whole number from 1 on.');
  }
  return value;
};

export const limitOption = (most: number) =>
  new Option('--limit <number>', 'as many at most').default(most).argParser(wholeNumber);

export function operationsCommand(program: Command): void {
  const operations = program
    .command('operations')
    .description('where operations stand, why vehicles failed, and control of them');
  watching(operations);
  findingOut(operations);
  controlling(operations);
}

function watching(operations: Command): void {
  adapterCommand(operations, {
    usage: 'list',
    description: 'list operations, newest first',
    examples: ['otaops operations list', 'otaops operations list --json --limit 1000'],
  })
    .addOption(limitOption(50))
    .action(async (flags: Limited) => {
      const client = await clientOf(flags);
      const items = await collect(client.items<OperationShown>(OPERATIONS, {}, flags.limit));
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['ref-id', 'status', 'vehicles', 'finished', 'succeeded', 'failed', 'open', 'created'],
        items.map((operation) => [
          operation['ref-id'],
          operation.status,
          operation.vehicles,
          operation.finished,
          operation.succeeded,
          operation.failed,
          operation.open,
          operation.createdAt,
        ]),
      );
    });

  adapterCommand(operations, {
    usage: 'show <ref-id>',
    description: 'progress of one operation, live until nothing is open any more',
    examples: ['otaops operations show "schedule 0909"', 'otaops operations show fix --once'],
  })
    .option('--once', 'show it once and end')
    .action(async (refId: string, flags: CommonFlags & { once?: boolean }) => {
      const client = await clientOf(flags);
      const ask = () => client.request<OperationShown>('GET', path([...OPERATIONS, refId]));
      if (flags.json) printJson(await ask());
      else await watch(ask, flags.once === true);
    });
}

const REFRESH_MS = 500;

async function watch(ask: () => Promise<OperationShown>, once: boolean): Promise<void> {
  const stopping = new AbortController();
  void stopRequested().then(() => stopping.abort());
  const view = progressView(process.stdout);
  for (;;) {
    const operation = await ask();
    view.show([operation]);
    if (once || operation.open === 0 || stopping.signal.aborted) break;
    await sleep(REFRESH_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
  view.done();
}

interface SummaryShown {
  readonly funnel: readonly { stage: string; vehicles: number }[];
  readonly failureReasons: readonly { state: string; reason: string; vehicles: number }[];
  readonly phases: readonly {
    phase: string;
    vehicles: number;
    p50: number;
    p90: number;
    p99: number;
  }[];
  readonly sampledVehicles: number;
  readonly estimate: { finishedPerMinute: number; completionAt: string | null };
}

function findingOut(operations: Command): void {
  adapterCommand(operations, {
    usage: 'summary <ref-id>',
    description: 'funnel, failure reasons, durations, rate and estimated completion',
    examples: ['otaops operations summary "schedule 0909"'],
  }).action(async (refId: string, flags: CommonFlags) => {
    const client = await clientOf(flags);
    const summary = await client.request<SummaryShown>(
      'GET',
      path([...OPERATIONS, refId, 'summary']),
    );
    if (flags.json) printJson(summary);
    else printSummary(summary);
  });

  adapterCommand(operations, {
    usage: 'vehicles <ref-id>',
    description: 'the vehicles of an operation, by state, reason or VIN',
    examples: [
      'otaops operations vehicles fix --state download_fail',
      'otaops operations vehicles fix --vin 5YJ --limit 10',
    ],
  })
    .option('--state <state>', 'only in this state')
    .option('--reason <reason>', 'only with this reason')
    .option('--vin <vin>', 'only with this beginning of the VIN')
    .addOption(limitOption(100))
    .action(
      async (refId: string, flags: Limited & { state?: string; reason?: string; vin?: string }) => {
        const client = await clientOf(flags);
        const { state, reason, vin, limit } = flags;
        const parts = [...OPERATIONS, refId, 'vehicles'];
        const items = await collect(
          client.items<VehicleShown>(parts, { state, reason, vin }, limit),
        );
        if (flags.json) printJson(items);
        else printVehicles(items);
      },
    );

  adapterCommand(operations, {
    usage: 'vehicle <ref-id> <vin>',
    description: 'all that happened to one vehicle, in order',
    examples: ['otaops operations vehicle "schedule 0909" 5YJSA1E40FF345678'],
  }).action(async (refId: string, vin: string, flags: CommonFlags) => {
    const client = await clientOf(flags);
    const { items } = await client.request<{ items: TimelineShown[] }>(
      'GET',
      path([...OPERATIONS, refId, 'vehicles', vin, 'timeline']),
    );
    if (flags.json) {
      printJson(items);
      return;
    }
    for (const entry of items) print(`${entry.at}  ${describe(entry)}`);
  });

  adapterCommand(operations, {
    usage: 'export <ref-id>',
    description: 'all vehicles as CSV or NDJSON',
    examples: [
      'otaops operations export fix > fix.csv',
      'otaops operations export fix --format ndjson --output fix.ndjson',
    ],
  })
    .addOption(new Option('--format <format>').choices(['csv', 'ndjson']).default('csv'))
    .option('--state <state>', 'only in this state')
    .option('-o, --output <file>', 'instead of the standard output')
    .action(
      async (
        refId: string,
        flags: CommonFlags & { format: string; state?: string; output?: string },
      ) => {
        const client = await clientOf(flags);
        const format = flags.json ? 'ndjson' : flags.format;
        const query = { format, state: flags.state };
        const body = await client.stream(path([...OPERATIONS, refId, 'export'], query));
        const out = flags.output === undefined ? process.stdout : createWriteStream(flags.output);
        await pipeline(Readable.fromWeb(body as never), out, { end: out !== process.stdout });
      },
    );

  adapterCommand(operations, {
    usage: 'audit [ref-id]',
    description: 'who has done what, when and why',
    examples: ['otaops operations audit fix'],
  })
    .addOption(limitOption(100))
    .action(async (refId: string | undefined, flags: Limited) => {
      const client = await clientOf(flags);
      const parts = refId === undefined ? ['audit'] : [...OPERATIONS, refId, 'audit'];
      const items = await collect(client.items<AuditShown>(parts, {}, flags.limit));
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['at', 'who', 'action', 'ref-id', 'vin', 'why', 'detail'],
        items.map((entry) => [
          entry.at,
          entry.tokenName,
          entry.action,
          entry['ref-id'],
          entry.vin,
          entry.reason,
          JSON.stringify(entry.detail),
        ]),
      );
    });
}

interface AuditShown {
  readonly at: string;
  readonly tokenName: string;
  readonly action: string;
  readonly 'ref-id': string | null;
  readonly vin: string | null;
  readonly reason: string;
  readonly detail: object;
}

interface TimelineShown {
  readonly kind: 'delivery' | 'ack' | 'event' | 'control';
  readonly at: string;
  readonly attempt: number | null;
  readonly what?: string;
  readonly vehicleAt?: string;
  readonly statusName?: string | null;
  readonly meta?: readonly { key: string; value: string }[];
  readonly callbacks?: readonly { receiver: string; settledAt: string | null; tries: number }[];
  readonly action?: string;
  readonly by?: string;
  readonly reason?: string;
}

function describe(entry: TimelineShown): string {
  if (entry.kind === 'control') {
    return `control   ${entry.action ?? ''} by ${entry.by ?? ''}${entry.reason ? `: ${entry.reason}` : ''}`;
  }
  if (entry.kind === 'delivery')
    return `delivery  attempt ${entry.attempt ?? ''} ${entry.what ?? ''}`;
  if (entry.kind === 'ack') return `ack       attempt ${entry.attempt ?? ''} acknowledged`;
  const meta = (entry.meta ?? []).map(({ key, value }) => `${key}=${value}`).join(' ');
  const told = (entry.callbacks ?? []).map(({ receiver, settledAt, tries }) =>
    settledAt === null ? `${receiver}: not told yet, ${tries} tries` : `${receiver}: told`,
  );
  const notes = told.length > 0 ? `  (${told.join('; ')})` : '';
  return `event     ${entry.statusName ?? ''} ${meta}  vehicle time ${entry.vehicleAt ?? ''}${notes}`;
}

export function printVehicles(items: readonly VehicleShown[]): void {
  const withRefId = items.some((item) => item['ref-id'] !== undefined);
  printTable(
    [...(withRefId ? ['ref-id'] : []), 'vin', 'state', 'attempt', 'sends', 'updated', 'reason'],
    items.map((vehicle) => [
      ...(withRefId ? [vehicle['ref-id']] : []),
      vehicle.vin,
      vehicle.state + (vehicle.paused ? ' (paused)' : ''),
      vehicle.attempt,
      vehicle.sends,
      vehicle.updatedAt,
      vehicle.reason,
    ]),
  );
}

const BAR_WIDTH = 40;

function printSummary({ funnel, failureReasons, phases, sampledVehicles, estimate }: SummaryShown) {
  const all = funnel[0]?.vehicles ?? 0;
  for (const { stage, vehicles } of funnel) {
    const bar = '█'.repeat(all === 0 ? 0 : Math.round((vehicles / all) * BAR_WIDTH));
    print(`${stage.padEnd(18)} ${bar.padEnd(BAR_WIDTH)} ${String(vehicles).padStart(9)}`);
  }
  if (failureReasons.length > 0) {
    print();
    printTable(
      ['vehicles', 'state', 'reason'],
      failureReasons.map(({ vehicles, state, reason }) => [vehicles, state, reason || '(none)']),
    );
  }
  if (phases.length > 0) {
    print(`\nSeconds in each phase, of ${sampledVehicles} vehicles:`);
    printTable(
      ['phase', 'vehicles', 'p50', 'p90', 'p99'],
      phases.map(({ phase, vehicles, p50, p90, p99 }) => [phase, vehicles, p50, p90, p99]),
    );
  }
  const { finishedPerMinute, completionAt } = estimate;
  print(
    `\n${finishedPerMinute.toFixed(1)} finish a minute; ${
      completionAt === null ? 'no end in sight at this rate' : `done about ${completionAt}`
    }`,
  );
}

interface ControlFlags extends CommonFlags {
  readonly reason?: string;
}

function controlling(operations: Command): void {
  const why = ['--reason <text>', 'why; kept in the audit log'] as const;

  for (const [action, description] of [
    ['pause', 'send no more triggers until resumed'],
    ['resume', 'send triggers again'],
    ['cancel', 'never send what was not yet sent; tells what already was'],
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
      'otaops operations retrigger fix --state download_fail --reason "CDN is mended"',
    ],
  })
    .option('--state <state>', 'all vehicles in this state')
    .option(...why)
    .action(
      async (refId: string, vin: string | undefined, flags: ControlFlags & RetriggerFlags) => {
        if ((vin === undefined) === (flags.state === undefined)) {
          throw new Error('give either a VIN or --state');
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
        else if ('retriggered' in answer) print(`${answer.retriggered} vehicles retriggered`);
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
    .option('--priority <number>', 'from -10 to 10; each step doubles its share', Number)
    .option('--rate <per-second>', 'triggers a second', Number)
    .option('--no-rate', 'no limit of its own')
    .option('--factor <number>', 'the rate grows by this factor …', Number)
    .option('--after <vehicles>', '… after so many vehicles, and again after as many', wholeNumber)
    .addOption(new Option('--of <what>', 'that are').choices(['notified', 'succeeded']))
    .option('--at-most <per-second>', 'the rate grows no further', Number)
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
    if (factor !== undefined || after !== undefined) throw new Error('--rate is needed too');
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
  const limit = rate === null ? 'no limit' : `${rate.perSecond} triggers a second`;
  print(`${operation['ref-id']}: ${status}, priority ${priority}, ${limit}`);
  if (stopped === undefined) return;
  print(
    `  ${stopped} were kept from being sent a trigger (${inFlight} of them may just have gone out)`,
  );
  print(`  ${alreadySent ?? 0} had been sent theirs and may still update`);
}
