/** `otaops operations summary` and `vehicle`: progress in detail. */
import { type Command } from 'commander';
import {
  insightApi,
  type Summary,
  type TimelineEntry,
} from '../../../contract/adapter-api/index.js';
import { serverCommand, clientOf, type CommonFlags } from '../../server-command.js';
import { print, printJson, printTable } from '../../output.js';

export function explainCommands(operations: Command): void {
  serverCommand(operations, {
    usage: 'summary <ref-id>',
    description: 'funnel, failure reasons, durations, rate and expected completion',
    examples: ['otaops operations summary "schedule 0909"'],
  }).action(async (refId: string, flags: CommonFlags) => {
    const client = await clientOf(flags);
    const summary = await client.call(insightApi.getSummary, { params: { 'ref-id': refId } });
    if (flags.json) printJson(summary);
    else printSummary(summary);
  });

  serverCommand(operations, {
    usage: 'vehicle <ref-id> <vin>',
    description: 'the history of one vehicle',
    examples: ['otaops operations vehicle "schedule 0909" 5YJSA1E40FF345678'],
  }).action(async (refId: string, vin: string, flags: CommonFlags) => {
    const client = await clientOf(flags);
    const { items } = await client.call(insightApi.getTimeline, {
      params: { 'ref-id': refId, vin },
    });
    if (flags.json) {
      printJson(items);
      return;
    }
    for (const entry of items) print(`${entry.at}  ${describe(entry)}`);
  });
}

function describe(entry: TimelineEntry): string {
  switch (entry.kind) {
    case 'control': {
      const { action, by, reason } = entry;
      return `control   ${action} by ${by}${reason === '' ? '' : `: ${reason}`}`;
    }
    case 'delivery':
      return `delivery  attempt ${entry.attempt ?? ''} ${entry.what}`;
    case 'ack':
      return `ack       attempt ${entry.attempt ?? ''} acknowledged`;
    case 'event': {
      const meta = entry.meta.map(({ key, value }) => `${key}=${value}`).join(' ');
      const deliveries = entry.callbacks.map(({ receiver, deliveredAt, tries }) =>
        deliveredAt === null
          ? `${receiver}: not delivered yet after ${tries} attempts`
          : `${receiver}: delivered`,
      );
      const notes = deliveries.length > 0 ? `  (${deliveries.join('; ')})` : '';
      return `event     ${entry['status-name']} ${meta}  vehicle time ${entry.vehicleAt}${notes}`;
    }
  }
}

const BAR_WIDTH = 40;

function printSummary({ funnel, failureReasons, phases, sampledVehicles, estimate }: Summary) {
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
