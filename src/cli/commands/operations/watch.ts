/** `otaops operations list` and `show`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command } from 'commander';
import { type Operation, operationApi } from '../../../contract/adapter-api/index.js';
import { serverCommand, clientOf, collect, type CommonFlags } from '../../server-command.js';
import { limitOption } from '../../options.js';
import { printJson, printTable } from '../../output.js';
import { progressView } from '../../progress-view.js';
import { stopRequested } from '../../stop-signals.js';

interface Limited extends CommonFlags {
  readonly limit: number;
}

export function watchCommands(operations: Command): void {
  serverCommand(operations, {
    usage: 'list',
    description: 'list operations, newest first',
    examples: ['otaops operations list', 'otaops operations list --json --limit 1000'],
  })
    .addOption(limitOption(50))
    .action(async (flags: Limited) => {
      const client = await clientOf(flags);
      const items = await collect(client.items(operationApi.listOperations, {}, flags.limit));
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

  serverCommand(operations, {
    usage: 'show <ref-id>',
    description: 'progress of one operation, live until all vehicles have finished',
    examples: ['otaops operations show "schedule 0909"', 'otaops operations show fix --once'],
  })
    .option('--once', 'show it once and exit')
    .action(async (refId: string, flags: CommonFlags & { once?: boolean }) => {
      const client = await clientOf(flags);
      const ask = () => client.call(operationApi.getOperation, { params: { 'ref-id': refId } });
      if (flags.json) printJson(await ask());
      else await watch(ask, flags.once === true);
    });
}

const REFRESH_MS = 500;

async function watch(ask: () => Promise<Operation>, once: boolean): Promise<void> {
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
