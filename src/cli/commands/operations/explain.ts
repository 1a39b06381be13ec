/** `otaops operations summary` and `vehicle`: why it goes as it goes. */
import { type Command } from 'commander';
import { path } from '../../adapter-client.js';
import { adapterCommand, clientOf, type CommonFlags } from '../../adapter-command.js';
import { print, printJson, printTable } from '../../output.js';
import { OPERATIONS } from './shown.js';

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

export function explainCommands(operations: Command): void {
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
    settledAt === null
      ? `${receiver}: not delivered yet, ${tries} tries`
      : `${receiver}: delivered`,
  );
  const notes = told.length > 0 ? `  (${told.join('; ')})` : '';
  return `event     ${entry.statusName ?? ''} ${meta}  vehicle time ${entry.vehicleAt ?? ''}${notes}`;
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
    `\nCompleted per minute: ${finishedPerMinute.toFixed(1)}; expected completion: ${completionAt ?? 'unknown'}`,
  );
}
