/**
 * The database's time, shared by all processes on one database. Every time that another process compares (receipt, expiry,
 * leases, due times) is in this time, so a process with a wrong clock disturbs no other.
 *
 * Between two readings the time advances with this process's monotonic clock: changes of this machine's clock do not affect
 * it, and it advances while the database is down.
 */
import { only, type Queryable } from '../database/index.js';
import { afterReading, type ClockEstimate, type Reading, timeAt } from './clock-estimate.js';

/** Readings of both clocks at one moment, ms since 1970. */
export interface BothClocks {
  readonly ours: number;
  readonly database: number;
}

export interface DatabaseClockOptions {
  /** The clock of this machine and the monotonic one, ms; tests replace them. */
  readonly machine?: () => number;
  readonly monotonic?: () => number;
  /**
   * Called when the two clocks differ by more than {@link WARN_SECONDS} and {@link REFUSE_SECONDS}, and every minute while
   * they do.
   */
  readonly onWrong?: ((clocks: BothClocks) => void) | undefined;
  /** Called when the database's time has jumped, ms: its clock was set, or another server has taken over. */
  readonly onJump?: ((by: number) => void) | undefined;
}

/** The clock of this machine differs so much from the database's that one of the two must be wrong. */
export class WrongClock extends Error {
  override readonly name = 'WrongClock';

  constructor({ ours, database }: BothClocks) {
    const seconds = Math.abs(ours - database) / 1000;
    super(
      `the clock of this machine says ${iso(ours)}, that of the database ${iso(database)}: they differ by ` +
        `${seconds.toFixed(1)} s, and at most ${REFUSE_SECONDS} s are allowed. Set both by NTP`,
    );
  }
}

const iso = (ms: number) => new Date(ms).toISOString();

/** From here on the alert OtaopsClockWrong is raised, and a start is refused. */
export const WARN_SECONDS = 2;
export const REFUSE_SECONDS = 30;

const FIRST_READINGS = 5;
const READ_MS = 5_000;
/** After a reading that failed. */
const RETRY_MS = 1_000;
const WARN_AGAIN_MS = 60_000;
/**
 * Small backward corrections are absorbed: the clock stops until they are made up, so that time never goes back. Larger ones
 * (another server whose clock is behind) are followed at once, as in every other process.
 */
const STAND_STILL_MS = 2_000;

export class DatabaseClock {
  readonly #database: Queryable;
  readonly #machine: () => number;
  readonly #monotonic: () => number;
  readonly #options: DatabaseClockOptions;
  #estimate: ClockEstimate;
  #latest = -Infinity;
  #warnedAt = -Infinity;
  #wrongness = 0;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #isStopped = false;

  /**
   * Reads the database's clock, repeatedly until {@link stop}.
   *
   * @throws DatabaseError if the database cannot be reached
   */
  static async start(
    database: Queryable,
    options: DatabaseClockOptions = {},
  ): Promise<DatabaseClock> {
    const monotonic = options.monotonic ?? (() => performance.now());
    let estimate = afterReading(undefined, await read(database, monotonic));
    for (let n = 1; n < FIRST_READINGS; n++) {
      estimate = afterReading(estimate, await read(database, monotonic));
    }
    return new DatabaseClock(database, options, estimate);
  }

  private constructor(database: Queryable, options: DatabaseClockOptions, first: ClockEstimate) {
    this.#database = database;
    this.#options = options;
    this.#machine = options.machine ?? Date.now;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#estimate = first;
    this.#look();
    this.#schedule(READ_MS);
  }

  /** Ms since 1970, an integer as from `Date.now`. */
  readonly now = (): number => {
    const time = Math.floor(timeAt(this.#estimate, this.#monotonic()));
    const back = this.#latest - time;
    if (back > 0 && back <= STAND_STILL_MS) return this.#latest;
    this.#latest = time;
    return time;
  };

  /**
   * The time while both clocks agree, for statements that others rely on, such as signed metadata. Neither a wrong database
   * clock nor this machine's alone can change it.
   *
   * @throws WrongClock if the two differ by more than {@link REFUSE_SECONDS}
   */
  readonly agreed = (): number => {
    this.refuseIfWrong();
    return this.now();
  };

  /** By how much this machine's clock is ahead of the database's, seconds. */
  readonly offsetSeconds = (): number => (this.#machine() - this.#databaseTime()) / 1000;

  /** @throws WrongClock if the two differ too much */
  refuseIfWrong(): void {
    if (Math.abs(this.offsetSeconds()) > REFUSE_SECONDS) throw new WrongClock(this.#both());
  }

  /** Reads the database's clock now; a failure changes nothing. */
  async readNow(): Promise<void> {
    const reading = await read(this.#database, this.#monotonic);
    const before = this.#estimate;
    this.#estimate = afterReading(before, reading);
    const at = reading.answeredAt;
    const by = timeAt(this.#estimate, at) - timeAt(before, at);
    if (Math.abs(by) > STAND_STILL_MS) this.#options.onJump?.(by);
    this.#look();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#reading;
  }

  #databaseTime(): number {
    return timeAt(this.#estimate, this.#monotonic());
  }

  #both(): BothClocks {
    return { ours: this.#machine(), database: this.#databaseTime() };
  }

  #look(): void {
    const offset = Math.abs(this.offsetSeconds());
    const wrongness = [WARN_SECONDS, REFUSE_SECONDS].filter((limit) => offset > limit).length;
    const isWorse = wrongness > this.#wrongness;
    this.#wrongness = wrongness;
    if (wrongness === 0) return;
    const now = this.#monotonic();
    if (!isWorse && now - this.#warnedAt < WARN_AGAIN_MS) return;
    this.#warnedAt = now;
    this.#options.onWrong?.(this.#both());
  }

  #schedule(pause: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#reading = this.readNow().then(
        () => this.#schedule(READ_MS),
        () => this.#schedule(RETRY_MS),
      );
    }, pause);
    this.#timer.unref();
  }
}

async function read(database: Queryable, monotonic: () => number): Promise<Reading> {
  const askedAt = monotonic();
  const { time } = only(
    await database.query<{ time: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as time',
    ),
  );
  return { askedAt, answeredAt: monotonic(), time };
}
