/** A call-back receiver in its own process, and the check that it received every event, once and in order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Client } from '../../src/contract/index.js';
import { eventApi, type PulledEvents } from '../../src/contract/adapter-api/index.js';
import { deviations, NONE, type SentMessages } from './deviations.js';
import { FOREIGN, numberOf } from './foreign-fleet.js';

/** An event as the receiver accepted it. */
type Taken = PulledEvents['events'][number];

export class CalledBack {
  readonly #port: number;
  readonly #log: string;
  #process: ChildProcess | undefined;

  /** @param log file to which the receiver writes the events that it accepts */
  constructor(port: number, log: string) {
    this.#port = port;
    this.#log = log;
    writeFileSync(log, '');
  }

  async start(): Promise<void> {
    const script = fileURLToPath(new URL('./receiver-process.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, String(this.#port), this.#log], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    await once(child.stdout, 'data');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** All deliveries, in order; some are repeated after a fault. */
  deliveries(): Taken[] {
    const lines = readFileSync(this.#log, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Taken);
  }

  /** The events without repeated deliveries, which have the same `event-id`. */
  events(): Taken[] {
    return [...new Map(this.deliveries().map((event) => [event['event-id'], event])).values()];
  }

  /**
   * Compares the events with the adapter's stream, and the foreign vehicles' events with what these vehicles sent.
   * All of them must have been delivered.
   *
   * @param sent messages of the foreign vehicles
   * @returns the number of events
   */
  async verify(
    adapter: { readonly client: Client },
    sent: ReadonlyMap<string, SentMessages>,
  ): Promise<number> {
    const stream = await eventsOf(adapter);
    const ids = byVin(stream, (event) => event['event-id']);
    const inStream = new Map(
      [...ids].map(([vin, all]) => [vin, { sent: all, acknowledged: new Set(all) }]),
    );
    const events = this.events();
    expect(
      deviations(
        inStream,
        byVin(events, (event) => event['event-id']),
      ),
    ).toEqual(NONE);
    const foreign = events.filter((event) => event['ref-id'] === FOREIGN);
    expect(
      deviations(
        sent,
        byVin(foreign, ({ meta }) => numberOf(meta)),
      ),
    ).toEqual(NONE);
    return events.length;
  }
}

function byVin<Event extends { vin: string }>(
  events: readonly Event[],
  nameOf: (event: Event) => string,
): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const event of events) {
    const known = names.get(event.vin);
    if (known) known.push(nameOf(event));
    else names.set(event.vin, [nameOf(event)]);
  }
  return names;
}

async function eventsOf({ client }: { readonly client: Client }): Promise<Taken[]> {
  const events: Taken[] = [];
  for (let after = '0', more = true; more;) {
    const page: PulledEvents = await client.call(eventApi.pullEvents, {
      query: { limit: 5_000, after },
    });
    events.push(...page.events);
    ({ cursor: after, more } = page);
  }
  return events;
}
