/**
 * How many messages a vehicle may send: token buckets, each kept as one number (the generic cell rate algorithm,
 * ITU-T I.371).
 */
export interface MessageBudgetLimits {
  /** Messages at once; 0: no limit. A vehicle that was offline for long sends what it has kept. */
  readonly burst: number;
  /** Messages that are added to it each hour. */
  readonly perHour: number;
}

/** An update has some twenty messages; a hundred with its progress. */
export const DEFAULT_MESSAGE_BUDGET: MessageBudgetLimits = { burst: 5_000, perHour: 360 };

const HOUR_MS = 60 * 60 * 1000;
/** Buckets that vehicles share, 8 bytes each: enough for 100,000 messages per second of vehicles that send seldom. */
const SHARED_BUCKETS = 2 ** 20;
/** Part of the burst that a vehicle may take from a shared bucket before it gets its own. */
const SHARED_PART = 0.02;
/** Vehicles checked with each message, to forget those whose buckets are full again: a message adds at most one. */
const CHECKED_AT_ONCE = 2;

/**
 * Few vehicles ever take more than some messages at once. So each vehicle first takes from a bucket that it shares with those
 * of the same hash. What is missing from it is never less than what its vehicle has taken: where little is missing, no
 * vehicle has taken much. Where more is missing, the vehicle gets its own bucket, of which as much is missing as it may
 * have taken so far. So no vehicle gets more than its budget, and one that shares with a busy vehicle misses at most
 * {@link SHARED_PART} of the burst and one message.
 */
export class MessageBudget {
  /** ms between two messages that are added. */
  readonly #interval: number;
  /** ms by which a vehicle may be ahead of its rate. */
  readonly #tolerance: number;
  /** … and by which a shared bucket may be, before its vehicles get their own. */
  readonly #sharedTolerance: number;
  /** When each shared bucket is full again, ms. */
  readonly #shared: Float64Array;
  /** When the bucket of a vehicle of its own is full again, ms. */
  readonly #fullAt = new Map<string, number>();
  /** The vehicles in turn, so that no message waits while all of them are checked. */
  #turn = this.#fullAt.entries();

  /** @param sharedBuckets a power of 2 */
  constructor(
    private readonly limits: MessageBudgetLimits,
    sharedBuckets = SHARED_BUCKETS,
  ) {
    this.#interval = HOUR_MS / limits.perHour;
    this.#tolerance = (limits.burst - 1) * this.#interval;
    this.#sharedTolerance = Math.floor(limits.burst * SHARED_PART) * this.#interval;
    this.#shared = new Float64Array(limits.burst === 0 ? 0 : sharedBuckets);
  }

  /** Vehicles with their own buckets. */
  get vehicles(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes a message of a vehicle from its bucket, if it has one.
   *
   * @param now ms
   * @returns how long until it has one, ms; 0: it was taken
   */
  take(vehicle: string, now: number): number {
    if (this.limits.burst === 0) return 0;
    for (let n = 0; n < CHECKED_AT_ONCE && this.#fullAt.size > 0; n++) this.#forgetNext(now);
    const bucket = hashOf(vehicle) & (this.#shared.length - 1);
    const shared = Math.max(this.#shared[bucket] ?? 0, now);
    const own = this.#fullAt.get(vehicle);
    if (own !== undefined || shared - now > this.#sharedTolerance) {
      const taken = Math.min(shared, now + this.#sharedTolerance + this.#interval);
      const fullAt = Math.max(own ?? taken, now);
      const wait = fullAt - now - this.#tolerance;
      if (wait > 0) return wait;
      this.#fullAt.set(vehicle, fullAt + this.#interval);
    }
    this.#shared[bucket] = shared + this.#interval;
    return 0;
  }

  #forgetNext(now: number): void {
    const { done, value } = this.#turn.next();
    if (done) this.#turn = this.#fullAt.entries();
    else if (value[1] <= now) this.#fullAt.delete(value[0]);
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
