/** Watches for conditions that no event reports: expiring keys, and new dead letters at the adapter. */
import { type Database } from '../../service/database/index.js';
import { Work } from '../work.js';
import { notify } from './notify.js';

/** A role that people must renew before it expires. */
export interface ExpiringRole {
  /** e.g. `root of the image repository` */
  readonly what: string;
  /** ms */
  readonly expires: number;
}

export interface WatchOptions {
  readonly database: Database;
  readonly roles: () => Promise<readonly ExpiringRole[]>;
  /** Id and time (ms) of the adapter's newest dead letter; undefined: none, or the token does not permit the request. */
  readonly newestDeadLetter: (
    signal: AbortSignal,
  ) => Promise<{ readonly id: string; readonly at: number } | undefined>;
  /** ms */
  readonly clock: () => number;
  readonly onFailure: (error: Error) => void;
}

const LOOK_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS_BEFORE = [1, 7, 30];

export class Watch {
  readonly #options: WatchOptions;
  readonly #work: Work;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#work = new Work(LOOK_MS, () => this.#look(), options.onFailure);
  }

  start(): void {
    this.#work.start();
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  async #look(): Promise<false> {
    const { database, clock, onFailure } = this.#options;
    const [watched] = await database.query<{ keys: boolean; letters: boolean }>(
      `select coalesce(bool_or('expiring-keys' = any (events)), false) as keys,
         coalesce(bool_or('dead-letters' = any (events)), false) as letters
       from notification_rules where enabled`,
    );
    const now = clock();
    // The failure of one does not prevent the other.
    if (watched?.keys) await this.#lookAtRoles(now).catch(onFailure);
    if (watched?.letters) await this.#lookAtDeadLetters(now).catch(onFailure);
    return false;
  }

  async #lookAtRoles(now: number): Promise<void> {
    const { database, roles } = this.#options;
    for (const { what, expires } of await roles()) {
      const days = DAYS_BEFORE.find((before) => expires - now <= before * DAY_MS);
      if (days === undefined) continue;
      const when = new Date(expires).toISOString();
      const summary =
        expires <= now ? `The ${what} expired at ${when}` : `The ${what} expires at ${when}`;
      const key = `expiring-keys ${what} ${when} ${expires <= now ? 'past' : days}`;
      await notify(database, { event: 'expiring-keys', key, refId: null, summary }, now);
    }
  }

  async #lookAtDeadLetters(now: number): Promise<void> {
    const { database, newestDeadLetter } = this.#options;
    const newest = await newestDeadLetter(this.#work.signal);
    if (!newest) return;
    const [last] = await database.query<{ at: Date }>(
      `select at from notifications where event = 'dead-letters' order by id desc limit 1`,
    );
    const since = last?.at.getTime() ?? now - HOUR_MS;
    // The last message covers what came before it. The next message comes an hour later.
    if (newest.at <= since || (last && now - since < HOUR_MS)) return;
    const summary = `The adapter has new dead letters, the last one since ${new Date(newest.at).toISOString()}`;
    const key = `dead-letters ${newest.id}`;
    await notify(database, { event: 'dead-letters', key, refId: null, summary }, now);
  }
}
