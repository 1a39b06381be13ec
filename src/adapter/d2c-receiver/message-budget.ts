/**
 * How many messages a vehicle may send: a token bucket for each vehicle, kept as one number (the generic cell rate algorithm,
 * ITU-T I.371), and only as long as the bucket is not full again.
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
/** Vehicles looked at with each message, to forget those whose buckets are full again: a message adds at most one. */
const LOOKED_AT = 2;

export class MessageBudget {
  /** ms between two messages that are added. */
  readonly #interval: number;
  /** ms by which a vehicle may be ahead of its rate. */
  readonly #tolerance: number;
  /** When the bucket is full again, ms, by vehicle. */
  readonly #fullAt = new Map<string, number>();
  /** The vehicles in turn, so that no message waits while all of them are looked at. */
  #turn = this.#fullAt.entries();

  constructor(private readonly limits: MessageBudgetLimits) {
    this.#interval = HOUR_MS / limits.perHour;
    this.#tolerance = (limits.burst - 1) * this.#interval;
  }

  /** Vehicles that are not forgotten. */
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
    const fullAt = Math.max(this.#fullAt.get(vehicle) ?? 0, now);
    const wait = fullAt - now - this.#tolerance;
    if (wait > 0) return wait;
    this.#fullAt.set(vehicle, fullAt + this.#interval);
    for (let n = 0; n < LOOKED_AT; n++) this.#forgetNext(now);
    return 0;
  }

  #forgetNext(now: number): void {
    const { done, value } = this.#turn.next();
    if (done) this.#turn = this.#fullAt.entries();
    else if (value[1] <= now) this.#fullAt.delete(value[0]);
  }
}
