/**
 * Limits guesses of tokens, sessions and credentials: after several wrong secrets, an address has to wait before its next
 * one is checked, twice as long each time. Failures are counted in the database, hence across all processes, which learn of
 * each other’s within seconds.
 *
 * An attacker must not lock anyone else out. Failures therefore count for their address, or for a name at an address; a
 * secret that this process has found valid at an address is accepted there regardless of other guesses; and repeating a
 * wrong secret does not count as another guess.
 */
import { hash } from 'node:crypto';
import { numberArray, type Queryable, textArray } from '../database/index.js';
import { type SignInLimits } from './sign-in-limits.js';
import { FORGOTTEN_MS, lockMs } from './sign-in-policy.js';

/** The kind of secret. */
export type SignInKind = 'token' | 'session' | 'vehicle';

/** A presented secret. */
export interface Attempt {
  readonly kind: SignInKind;
  /** See `clientAddress`. */
  readonly address: string;
  /** Absent: the secret comes without a name. */
  readonly name?: string;
  readonly secret: string;
}

export interface SignInGuardOptions {
  readonly database: Queryable;
  /** The database's time, ms. */
  readonly clock: () => number;
  readonly limits: SignInLimits;
  readonly onFailed: (attempt: Omit<Attempt, 'secret'>) => void;
  /** An address, or a name at an address, has to wait from now on. */
  readonly onLockOut: (attempt: Omit<Attempt, 'secret'>, waitMs: number) => void;
  /** The failures could not be shared; they count in this process. */
  readonly onProblem: (error: Error) => void;
}

interface Failures {
  number: number;
  /** Database time, ms. */
  lastAt: number;
  /** Counts not yet in the database. */
  fresh: number;
  readonly free: number;
}

/** Between two exchanges with the database, ms. */
const SHARE_MS = 500;
const FORGET_EVERY_MS = 60_000;
/** Other processes’ failures are read again for this long, ms: their transactions may commit late. */
const OVERLAP_MS = 5_000;
/** A name with fewer failures is not shared: an attacker who tries many names is counted by address. */
const SHARED_FROM = 3;
/** Keys in memory, of each kind of memory. */
const MOST_KEYS = 100_000;
/** Keys in one statement. */
const MOST_SHARED = 5_000;

export class SignInGuard {
  readonly #options: SignInGuardOptions;
  readonly #failures = new Map<string, Failures>();
  readonly #fresh = new Set<string>();
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #sharing: Promise<void> = Promise.resolve();
  #readAt = 0;
  #forgotAt = 0;

  constructor(options: SignInGuardOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#sharing = this.#share()
        .catch((error: unknown) => this.#options.onProblem(error as Error))
        .finally(() => this.#timer?.refresh());
    }, SHARE_MS).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#sharing;
  }

  /** How long the attempt has to wait before it is checked, ms; 0: it need not wait. */
  waitMs(attempt: Attempt): number {
    const locks = [addressKey(attempt), nameKey(attempt)].map((key) => this.#lockedMs(key));
    const wait = Math.max(...locks);
    return wait > 0 && this.#right.has(secretKey(attempt)) ? 0 : wait;
  }

  /** The secret was right. */
  succeeded(attempt: Attempt): void {
    remember(this.#right, secretKey(attempt));
    const key = nameKey(attempt);
    if (key !== undefined) this.#failures.delete(key);
  }

  /** The secret was wrong. */
  failed(attempt: Attempt): void {
    const { kind, address, name } = attempt;
    this.#options.onFailed({ kind, address, ...(name === undefined ? {} : { name }) });
    const secret = secretKey(attempt);
    // Secrets that are no longer valid lose their exemption.
    this.#right.delete(secret);
    if (this.#wrong.has(secret)) return;
    remember(this.#wrong, secret);
    const { perAddress, perName } = this.#options.limits;
    const waits = [
      this.#count(addressKey(attempt), perAddress),
      name === undefined ? 0 : this.#count(nameKey(attempt), perName),
    ];
    const wait = Math.max(...waits);
    if (wait > 0) {
      this.#options.onLockOut({ kind, address, ...(name === undefined ? {} : { name }) }, wait);
    }
  }

  /** @returns the wait that follows, ms */
  #count(key: string | undefined, free: number): number {
    if (key === undefined || free === 0) return 0;
    const now = this.#options.clock();
    const before = this.#failures.get(key);
    const isForgotten = before === undefined || now - before.lastAt > FORGOTTEN_MS;
    const failures = isForgotten ? { number: 0, lastAt: now, fresh: 0, free } : before;
    failures.number += 1;
    failures.fresh += 1;
    failures.lastAt = now;
    // The latest ones are kept.
    this.#failures.delete(key);
    this.#failures.set(key, failures);
    forgetOldest(this.#failures);
    if (failures.number >= SHARED_FROM) this.#fresh.add(key);
    return lockMs(failures.number, free);
  }

  #lockedMs(key: string | undefined): number {
    const failures = key === undefined ? undefined : this.#failures.get(key);
    if (!failures) return 0;
    const { number, free, lastAt } = failures;
    return Math.max(0, lastAt + lockMs(number, free) - this.#options.clock());
  }

  /** Adds our failures to those in the database, and reads those of other processes. */
  async #share(): Promise<void> {
    const { database, clock } = this.#options;
    const now = clock();
    const keys = [...this.#fresh].slice(0, MOST_SHARED);
    for (const key of keys) this.#fresh.delete(key);
    const shared = keys.flatMap((key) => {
      const failures = this.#failures.get(key);
      if (!failures) return [];
      const { fresh } = failures;
      failures.fresh = 0;
      return [{ key, fresh }];
    });
    if (shared.length > 0) {
      await database.query(
        `insert into failed_sign_ins as f (key, failures, last_at)
         select key, failures, $3 from unnest($1::text[], $2::int[]) as given (key, failures)
         order by key
         on conflict (key) do update set
           failures = case when f.last_at < $4 then 0 else f.failures end + excluded.failures,
           last_at = greatest(f.last_at, excluded.last_at)`,
        [
          textArray(shared.map(({ key }) => key)),
          numberArray(shared.map(({ fresh }) => fresh)),
          new Date(now),
          new Date(now - FORGOTTEN_MS),
        ],
      );
    }
    await this.#learn(now);
    if (now - this.#forgotAt < FORGET_EVERY_MS) return;
    this.#forgotAt = now;
    await database.query('delete from failed_sign_ins where last_at < $1', [
      new Date(now - FORGOTTEN_MS),
    ]);
  }

  async #learn(now: number): Promise<void> {
    const since = this.#readAt === 0 ? now - FORGOTTEN_MS : this.#readAt - OVERLAP_MS;
    const rows = await this.#options.database.query<{
      key: string;
      failures: number;
      last_at: Date;
    }>(
      `select key, failures, last_at from failed_sign_ins where last_at >= $1
       order by last_at desc limit ${MOST_SHARED}`,
      [new Date(since)],
    );
    this.#readAt = now;
    const { perAddress, perName } = this.#options.limits;
    for (const { key, failures, last_at: lastAt } of rows) {
      const own = this.#failures.get(key);
      const free = key.startsWith(ADDRESS) ? perAddress : perName;
      this.#failures.set(key, {
        number: Math.max(own?.number ?? 0, failures + (own?.fresh ?? 0)),
        lastAt: Math.max(own?.lastAt ?? 0, lastAt.getTime()),
        fresh: own?.fresh ?? 0,
        free,
      });
    }
    forgetOldest(this.#failures);
  }
}

const ADDRESS = 'address ';

/** Vehicles and people have separate limits. */
const addressKey = ({ kind, address }: Attempt) =>
  `${ADDRESS}${kind === 'vehicle' ? 'mqtt' : 'http'} ${address}`;
/** Names come from strangers: any length, any characters. */
const nameKey = ({ kind, address, name }: Attempt) =>
  name === undefined ? undefined : `${kind} ${digest(address, name)}`;
const secretKey = ({ kind, address, name = '', secret }: Attempt) =>
  digest(kind, address, name, secret);

const digest = (...parts: string[]) =>
  hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 27);

function remember(keys: Set<string>, key: string): void {
  keys.delete(key);
  keys.add(key);
  forgetOldest(keys);
}

function forgetOldest(keys: Set<string> | Map<string, unknown>): void {
  for (const key of keys.keys()) {
    if (keys.size <= MOST_KEYS) return;
    keys.delete(key);
  }
}
