/** `otaops events`: the event stream, from a cursor or time, or live. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command } from 'commander';
import { eventApi } from '../../contract/adapter-api/index.js';
import { type CallbackEvent, type Client, NoAnswer } from '../../contract/index.js';
import { serverCommand, clientOf, type CommonFlags } from '../server-command.js';
import { print, printError } from '../output.js';
import { stopRequested } from '../stop-signals.js';
import { limitOption, option, timeOption } from '../options.js';
import { parseCount } from '../settings/parsers.js';
import { UsageError } from '../usage-error.js';

interface EventsFlags extends CommonFlags {
  readonly follow?: boolean;
  readonly after?: number;
  readonly since?: string;
  readonly refId?: string;
  readonly vin?: string;
  readonly limit: number;
}

const MAX_PULL = 5_000;
/** While following: how long a request waits for an event, and the delay before a retry. */
const WAIT_SECONDS = 30;
const RETRY_MS = 1_000;

export function eventsCommand(program: Command): void {
  serverCommand(program, {
    usage: 'events',
    description: 'events of all vehicles, in commit order',
    examples: [
      'otaops events --follow                                new events only',
      'otaops events --since 2026-11-24T08:00:00Z --ref-id fix --json',
      'otaops events --after 120000 --follow                 continues after a cursor',
    ],
  })
    .option('-f, --follow', 'keep printing new events; reconnects if the connection breaks')
    .addOption(
      option('--after <cursor>', 'start after this event; 0: from the beginning', parseCount),
    )
    .addOption(timeOption('--since', 'received at or after this time, e.g. 2026-11-24T08:00:00Z'))
    .option('--ref-id <ref-id>', 'only of this operation')
    .option('--vin <vin>', 'only of this vehicle')
    .addOption(limitOption(1_000))
    .action(async (flags: EventsFlags) => {
      if (flags.after !== undefined && flags.since !== undefined) {
        throw new UsageError('give either --after or --since');
      }
      const client = await clientOf(flags);
      const show = flags.json ? (event: CallbackEvent) => print(JSON.stringify(event)) : printEvent;
      if (flags.follow) await follow(client, flags, show);
      else await list(client, flags, show);
    });
}

const filterOf = ({ refId, vin }: EventsFlags) => ({
  ...(refId === undefined ? {} : { 'ref-id': refId }),
  ...(vin === undefined ? {} : { vin }),
});

type EventPrinter = (event: CallbackEvent) => void;

async function list(client: Client, flags: EventsFlags, show: EventPrinter): Promise<void> {
  let query: { after?: string; since?: string } = startOf(flags) ?? { after: '0' };
  for (let left = flags.limit; left > 0;) {
    const limit = Math.min(left, MAX_PULL);
    const { events, cursor, more } = await client.call(eventApi.pullEvents, {
      query: { ...query, limit, ...filterOf(flags) },
    });
    events.forEach(show);
    left -= events.length;
    if (!more) return;
    query = { after: cursor };
  }
}

const startOf = ({ after, since }: EventsFlags) =>
  after === undefined && since === undefined
    ? undefined
    : {
        ...(after === undefined ? {} : { after: String(after) }),
        ...(since === undefined ? {} : { since }),
      };

/** Runs until stopped. Keeps the cursor, so that no event is lost when the connection breaks. */
async function follow(client: Client, flags: EventsFlags, show: EventPrinter): Promise<void> {
  const stopping = new AbortController();
  void stopRequested().then(() => stopping.abort());
  const { signal } = stopping;
  let query: { after?: string; since?: string } = startOf(flags) ?? {
    after: await newest(client),
  };
  while (!signal.aborted) {
    try {
      const asked = { ...query, limit: MAX_PULL, wait: WAIT_SECONDS, ...filterOf(flags) };
      const pulled = await client.call(eventApi.pullEvents, { query: asked }, signal);
      pulled.events.forEach(show);
      query = { after: pulled.cursor };
    } catch (error) {
      if (error === signal.reason) return;
      if (!(error instanceof NoAnswer)) throw error;
      printError(`${error.message}; retrying`);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The cursor at the end of the stream, found through a time in the future. */
async function newest(client: Client): Promise<string> {
  const since = new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString();
  return (await client.call(eventApi.pullEvents, { query: { since, limit: 1 } })).cursor;
}

function printEvent(event: CallbackEvent): void {
  const meta = event.meta.map(({ key, value }) => `${key}=${value}`).join(' ');
  const at = new Date(event['received-at']).toISOString();
  print(`${at}  ${event['ref-id']}  ${event.vin}  ${event['status-name']}  ${meta}`.trimEnd());
}
