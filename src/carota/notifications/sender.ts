/**
 * Sends the outbox until every delivery has succeeded: at least once, each attempt with the same id. A lease prevents two
 * servers from sending the same delivery at the same time.
 */
import { backoffPause } from '../../contract/index.js';
import { type NotificationChannel } from '../../contract/carota-api/index.js';
import { type Database } from '../../service/database/index.js';
import { NotAccepted } from '../../service/outgoing/index.js';
import { type SecretBox } from '../../service/secrets/index.js';
import { Work } from '../work.js';
import { type Channels } from './channels.js';
import { messageIdOf } from './deliveries.js';
import { type Message } from './messages.js';
import { targetOf } from './rules.js';

export interface SenderOptions {
  readonly database: Database;
  readonly channels: Channels;
  readonly box: SecretBox;
  /** ms */
  readonly clock: () => number;
  readonly onSent: (
    channel: NotificationChannel,
    outcome: 'delivered' | 'failed' | 'given_up',
  ) => void;
  readonly onFailure: (error: Error) => void;
  /** Pauses between attempts; the default except in tests. */
  readonly backoff?: typeof BACKOFF;
}

const LOOK_MS = 1_000;
const BATCH = 10;
/** Longer than any attempt takes. */
const LEASE_MS = 60_000;
const BACKOFF = { firstPauseMs: 5_000, longestPauseMs: 3_600_000 };
/** About three days; after that, the notification is no longer of interest. */
const MOST_TRIES = 80;
const LONGEST_FAILURE = 500;

interface Claimed extends Omit<Message, 'id'> {
  readonly id: number;
  readonly tries: number;
  readonly name: string;
  readonly channel: NotificationChannel;
  readonly sealed: string;
}

export class NotificationSender {
  readonly #options: SenderOptions;
  readonly #work: Work;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#work = new Work(LOOK_MS, () => this.#sendDue(), options.onFailure);
  }

  start(): void {
    this.#work.start();
  }

  wake(): void {
    this.#work.wake();
  }

  async stop(): Promise<void> {
    await this.#work.stop();
    this.#options.channels.close();
  }

  async #sendDue(): Promise<boolean> {
    const { database, clock } = this.#options;
    const now = clock();
    const claimed = await database.query<Claimed>(
      `with due as (
         select id from notification_deliveries where due_at <= $1
         order by due_at, id limit ${BATCH} for update skip locked
       ), claimed as (
         update notification_deliveries d set due_at = $2, tries = tries + 1 from due
         where d.id = due.id returning d.id, d.notification_id, d.rule_id, d.tries
       )
       select c.id, c.tries, n.event, n.at, n.ref_id as "refId", n.summary, r.name, r.channel, r.sealed
       from claimed c
       join notifications n on n.id = c.notification_id
       join notification_rules r on r.id = c.rule_id`,
      [new Date(now), new Date(now + LEASE_MS)],
    );
    await Promise.all(claimed.map((delivery) => this.#send(delivery)));
    return claimed.length === BATCH;
  }

  async #send({ id, tries, name, channel, sealed, ...message }: Claimed): Promise<void> {
    const { channels, box, clock, onSent, database, backoff = BACKOFF } = this.#options;
    let refused: string | undefined;
    try {
      const target = targetOf(name, sealed, box);
      refused = await channels.send(channel, target, { ...message, id: messageIdOf(id) }, clock());
    } catch (error) {
      const isOver = tries >= MOST_TRIES;
      const asked = error instanceof NotAccepted ? (error.retryAfter ?? 0) * 1000 : 0;
      const pause = Math.max(backoffPause(backoff, tries, Math.random()), asked);
      await database.query(
        `update notification_deliveries set failure = $2, due_at = $3
         where id = $1 and due_at is not null`,
        [id, textOf(error), isOver ? null : new Date(clock() + pause)],
      );
      onSent(channel, isOver ? 'given_up' : 'failed');
      return;
    }
    await database.query(
      `update notification_deliveries set delivered_at = $2, due_at = null, failure = $3 where id = $1`,
      [id, new Date(clock()), refused === undefined ? null : textOf(new Error(refused))],
    );
    onSent(channel, 'delivered');
  }
}

/** A server's error message may contain anything. */
function textOf(error: unknown): string {
  const { message, code = 'it failed' } = error as Error & { readonly code?: string };
  const text = message === '' ? code : message;
  return text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ').slice(0, LONGEST_FAILURE);
}
