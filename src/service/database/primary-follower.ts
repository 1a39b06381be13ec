/**
 * Follows the primary among several hosts. All hosts are checked every two seconds and after every failure. Connections to
 * the old primary are dropped only once another host has taken over: a primary that is merely slow keeps its connections.
 * With one host there is nothing to choose.
 */
import { DatabaseError } from './database.js';
import { type DatabaseHost, type DatabaseTarget } from './hosts.js';
import { type HostLanes } from './host-lanes.js';
import { askHost, type HostAnswer, primaryOf } from './primary.js';

export interface FollowerOptions {
  readonly target: DatabaseTarget;
  readonly open: (host: DatabaseHost) => HostLanes;
  /** Called when another host has become the primary; `from` is undefined at the start. */
  readonly onPrimary?: ((to: string, from: string | undefined) => void) | undefined;
}

const LOOK_MS = 2_000;
/** Interval of checks while statements fail, ms. */
const LOOK_AGAIN_MS = 250;

export class PrimaryFollower {
  readonly #options: FollowerOptions;
  readonly #hasChoice: boolean;
  #lanes: HostLanes | undefined;
  #answers: readonly HostAnswer[] = [];
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { hosts, mustBeWritable } = options.target;
    this.#hasChoice = hosts.length > 1 || mustBeWritable;
    if (!this.#hasChoice) this.#lanes = options.open(hosts[0]);
  }

  /** Connections to the primary. @throws DatabaseError if there has been none yet */
  async lanes(): Promise<HostLanes> {
    if (!this.#lanes) await this.#look();
    if (this.#lanes) return this.#lanes;
    const whys = this.#answers.map(({ host, why }) => `${host.name}: ${why ?? ''}`);
    throw new DatabaseError(
      new Error(`no host of the database accepts writes (${whys.join('; ')})`),
    );
  }

  /** A statement has failed: perhaps another host has taken over. */
  failed(error: DatabaseError): void {
    if (!this.#hasChoice || this.#isClosed || this.#looking) return;
    if (error.isPermanent) return;
    this.#schedule(LOOK_AGAIN_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#lanes?.end();
  }

  #look(): Promise<void> {
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined;
      this.#soonest = Infinity;
      this.#schedule(LOOK_MS);
    });
    return this.#looking;
  }

  async #ask(): Promise<void> {
    const { target, open, onPrimary } = this.#options;
    const answers = await Promise.all(target.hosts.map((host) => askHost(host)));
    this.#answers = target.mustBeWritable ? answers : answers.map(anyTimeline);
    const before = this.#lanes;
    const host = primaryOf(this.#answers, before?.host);
    if (!host || host === before?.host || this.#isClosed) return;
    this.#lanes = open(host);
    const why = `${host.name} has taken over from ${before?.host.name ?? ''}`;
    before?.giveUp(new DatabaseError(new Error(why)));
    onPrimary?.(host.name, before?.host.name);
  }

  /** When the next check is due, by the monotonic clock, ms. */
  #soonest = Infinity;

  #schedule(pause: number): void {
    const at = performance.now() + pause;
    if (this.#isClosed || at >= this.#soonest) return;
    this.#soonest = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), pause);
    this.#timer.unref();
  }
}

/** If reads suffice, every host that answers will do. */
const anyTimeline = (answer: HostAnswer): HostAnswer =>
  answer.isThere ? { ...answer, timeline: 0 } : answer;
