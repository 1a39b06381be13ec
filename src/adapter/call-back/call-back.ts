/**
 * Event call-back (contract section 6). Each receiver has a position in the event stream; the events after it are delivered
 * in order, batch by batch. The stream is the outbox: it contains every committed event, nothing is copied, and a failing
 * receiver needs no memory and delays no other.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffPause, doWithin } from '../../contract/index.js';
import { type Database } from '../../service/database/index.js';
import { type SecretBox } from '../../service/secrets/index.js';
import { NotAccepted, type Poster, signatureHeaders } from '../../service/outgoing/index.js';
import { type EventStream, readEvents } from '../event-stream/index.js';
import { batchOf, callbackBody } from './batch.js';
import { isRefusal, limitAfterRefusal, limitAfterSettled } from './batch-size.js';
import {
  failBatch,
  type HeldReceiver,
  LEASE_SECONDS,
  leaveReceiver,
  renewReceiver,
  settleBatch,
  takeReceivers,
} from './lease.js';

export interface CallBackOptions {
  readonly database: Database;
  readonly stream: EventStream;
  readonly poster: Poster;
  /** Opens the receivers' secrets. */
  readonly box: SecretBox;
  /** Maximum number of events per request. */
  readonly batchEvents: number;
  /** ms */
  readonly clock: () => number;
  /** Called after each request. */
  readonly onPosted?: (
    receiver: string,
    isSettled: boolean,
    events: number,
    seconds: number,
  ) => void;
  /** Called after each batch that was not settled; it is retried. */
  readonly onNotSettled?: (receiver: string, failures: number, error: Error) => void;
  readonly onFailure?: (error: Error) => void;
}

/** From 1 s, doubling up to 5 minutes, forever. */
const RETRY: Backoff = { firstPauseMs: 1_000, longestPauseMs: 300_000 };
/** How often to check for receivers without a holder. */
const TAKE_MS = 1_000;
/** How often a receiver's row is read again while there is nothing to deliver, or during a pause. */
const LOOK_MS = 1_000;
/** A resumed process posts nothing this long before its lease expires. */
const LEASE_MARGIN_MS = 5_000;

export class CallBack {
  readonly #options: CallBackOptions;
  readonly #holder = randomUUID();
  readonly #stopping = new AbortController();
  readonly #delivering = new Map<string, Promise<void>>();
  #running: Promise<void> | undefined;

  constructor(options: CallBackOptions) {
    this.#options = options;
    // Each receiver adds a listener.
    setMaxListeners(0, this.#stopping.signal);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#delivering.values());
  }

  async #run(): Promise<void> {
    const { database, onFailure } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for (const id of await takeReceivers(database, this.#holder)) this.#take(id);
      } catch (error) {
        onFailure?.(error as Error);
      }
      await sleep(TAKE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #take(id: string): void {
    if (this.#delivering.has(id)) return;
    const delivering = this.#deliver(id)
      .catch((error: unknown) => this.#options.onFailure?.(error as Error))
      .then(() => leaveReceiver(this.#options.database, id, this.#holder))
      // If that fails, the lease expires by itself.
      .catch(() => undefined)
      .finally(() => this.#delivering.delete(id));
    this.#delivering.set(id, delivering);
  }

  /** Delivers to one receiver as long as this process holds it. */
  async #deliver(id: string): Promise<void> {
    const { database, stream, clock } = this.#options;
    const { signal } = this.#stopping;
    let heldAt = performance.now();
    let receiver = await renewReceiver(database, id, this.#holder);
    while (receiver && !signal.aborted) {
      const pause = receiver.due_at.getTime() - clock();
      if (pause > 0) await this.#sleep(Math.min(pause, LOOK_MS));
      else if (stream.position > receiver.position) {
        const leaseEnds = heldAt + LEASE_SECONDS * 1000 - LEASE_MARGIN_MS;
        heldAt = performance.now();
        receiver = await this.#deliverBatch(receiver, leaseEnds);
        continue;
      } else await this.#waitForEvents(receiver.position);
      heldAt = performance.now();
      receiver = await renewReceiver(database, id, this.#holder);
    }
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }

  /** Waits for more events, at most until the receiver's row must be read again. */
  async #waitForEvents(position: number): Promise<void> {
    const { stream } = this.#options;
    await doWithin(LOOK_MS, [this.#stopping.signal], (signal) => stream.beyond(position, signal));
  }

  /** Posts the next batch. @returns the receiver's new state; undefined: this process no longer holds it */
  async #deliverBatch(
    receiver: HeldReceiver,
    leaseEnds: number,
  ): Promise<HeldReceiver | undefined> {
    const { database, stream, batchEvents, clock } = this.#options;
    const { id, position, batch_limit: limit } = receiver;
    const most = Math.min(limit ?? batchEvents, batchEvents);
    const wanted = receiver.batch_to ?? Math.min(position + most, stream.position);
    const { events, upto } = await readEvents(database, position, wanted);
    // The retention dropped these events while the receiver was disabled.
    if (events.length === 0) {
      return settleBatch(database, receiver, this.#holder, { upto, limit }, clock());
    }
    const batch = batchOf(events, upto);
    // This process was suspended: another adapter may be delivering by now.
    if (performance.now() > leaseEnds) return renewReceiver(database, id, this.#holder);
    const failure = await this.#post(receiver, batch, events.length);
    if (!failure) {
      const delivered = { upto: batch.upto, limit: limitAfterSettled(limit, batchEvents) };
      return settleBatch(database, receiver, this.#holder, delivered, clock());
    }
    await this.#failed(receiver, batch.upto, failure);
    return renewReceiver(database, id, this.#holder);
  }

  /** Schedules the retry: of the same batch or, if it was refused, of a smaller one. */
  async #failed(receiver: HeldReceiver, upto: number, failure: Error): Promise<void> {
    const { database, clock } = this.#options;
    const { position, batch_limit: limit } = receiver;
    const { status, retryAfter = 0 } = failure as Partial<NotAccepted>;
    const tries = receiver.failures + 1;
    const smaller = isRefusal(status)
      ? limitAfterRefusal(limit, upto - position, tries)
      : undefined;
    // A different batch starts with the first pause.
    const pause = backoffPause(RETRY, smaller === undefined ? tries : 1, Math.random());
    const failed = {
      upto: smaller === undefined ? upto : null,
      limit: smaller ?? limit,
      failure: failure.message.slice(0, 500),
      dueAt: clock() + Math.max(pause, retryAfter * 1000),
    };
    await failBatch(database, receiver, this.#holder, failed, clock());
  }

  /** @returns why the batch was not settled; undefined: it was settled */
  async #post(
    receiver: HeldReceiver,
    batch: ReturnType<typeof batchOf>,
    events: number,
  ): Promise<Error | undefined> {
    const { poster, clock, box, onPosted, onNotSettled } = this.#options;
    const now = clock();
    const body = callbackBody(batch, now);
    const webhookId = `msg_${receiver.id}_${receiver.position}_${batch.upto}`;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      await poster.post(
        receiver.url,
        signatureHeaders(webhookId, now, body, secretsOf(receiver, now, box)),
        body,
      );
      onPosted?.(receiver.name, true, events, seconds());
      return undefined;
    } catch (error) {
      const failure = error as Error;
      onPosted?.(receiver.name, false, events, seconds());
      onNotSettled?.(receiver.name, receiver.failures + 1, failure);
      return failure instanceof NotAccepted ? failure : new Error(messageOf(failure));
    }
  }
}

/** @throws CannotOpen */
function secretsOf(
  { id, secret, old_secret, old_until }: HeldReceiver,
  now: number,
  box: SecretBox,
): string[] {
  const oldCounts = old_secret !== null && old_until !== null && old_until.getTime() > now;
  const stored = oldCounts ? [secret, old_secret] : [secret];
  return stored.map((one) => box.open(one, id));
}

/** An error of connecting to several addresses has no message itself. */
function messageOf(error: Error): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return inner.name === 'TimeoutError' || inner.name === 'AbortError'
    ? 'the receiver did not answer in time'
    : inner.message;
}
