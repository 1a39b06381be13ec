/**
 * The group's one durable subscription (contract section 3): a session under the group's client id,
 * held by the adapter that has the lease. The broker keeps the session whoever is connected, so
 * whoever takes over gets first what was not acknowledged, then the rest, in order.
 *
 * Two living systems with one group id (a database that was copied) must not take messages from
 * each other. So a holder that finds a session is on probation: it stores what comes, and
 * acknowledges nothing until its connection has lasted and no other holder has given a sign of life.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Queryable } from '../../service/database/index.js';
import { type BrokerConnection, type ConnectionOptions } from './broker-connection.js';
import { type BrokerDialler } from './broker-dialler.js';
import { BEAT_MS, type HolderBeats } from './holder-beats.js';
import { reconnectPause } from './kept-connection.js';
import { type Applicant, releaseLease, renewGroupId, takeLease } from './subscription-lease.js';

export interface SubscriberOptions {
  readonly dialler: BrokerDialler;
  readonly database: Queryable;
  readonly applicant: Applicant;
  readonly filter: string;
  readonly beats: HolderBeats;
  /** Tells other holders of the group's id that this one is alive. */
  readonly sendBeat: (groupId: string) => void;
  /** The group's id, at first and whenever it has changed. */
  readonly onGroupId: (groupId: string) => void;
  readonly connection: Omit<ConnectionOptions, 'clientId' | 'clean' | 'onClosed'>;
  /** Subscribed, again. */
  readonly onUp: () => void;
  readonly onProblem: (error: Error) => void;
}

/** A lost holder is replaced after lease + poll + connecting: within 15 s. */
const LEASE_SECONDS = 10;
const RENEW_MS = 2_500;
/** How often others look whether the lease is free. */
const POLL_MS = 500;
/** A holder that cannot renew its lease leaves so long before its end, ms. */
const MARGIN_MS = 500;
/** Longer than a living system takes to come back to its session. */
const PROBATION_MS = 6_000;
/** Longer than a holder of our own group that has lost its lease can take itself for the holder. */
const CONFLICT_AFTER_MS = LEASE_SECONDS * 1000 + 2_000;
/** Longer than probation, so that of two on probation one gets through. */
const LONGEST_PAUSE_MS = 12_000;

/** The database of this group was copied, and the other system is alive. */
class GroupIdConflict extends Error {
  override readonly name = 'GroupIdConflict';
}

/** The broker has forgotten the session, and with it what it had acknowledged to vehicles. */
class SessionLost extends Error {
  override readonly name = 'SessionLost';
  constructor(clientId: string) {
    super(`the broker has lost session ${clientId}, and the messages that waited in it`);
  }
}

/** Between taking the lease and losing it. */
interface Term {
  readonly groupId: string;
  /** Monotonic, ms. */
  readonly since: number;
  /** Whether probation is over. */
  isEstablished: boolean;
  /** Connections that broke during probation. */
  broken: number;
}

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #isFirst = true;
  /** Whether another adapter holds the lease, as far as was seen. */
  #isStandby = false;
  #term: Term | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;
  #connection: BrokerConnection | undefined;
  #connecting: Promise<void> | undefined;
  #connectedAt = 0;
  #isSubscribed = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get isSubscribed(): boolean {
    return this.#isSubscribed && this.#connection?.isOpen === true;
  }

  get isStandby(): boolean {
    return this.#isStandby;
  }

  /** Takes no more messages; those that were taken can still be settled. */
  async pause(): Promise<void> {
    this.#stopping.abort();
    this.#connection?.pause();
    await this.#running;
    await this.#connecting;
  }

  /** The next adapter that looks takes over. */
  async close(): Promise<void> {
    await this.pause();
    clearTimeout(this.#expiry);
    clearInterval(this.#beating);
    await this.#connection?.disconnect();
    this.#isSubscribed = false;
    const { database, applicant, onProblem } = this.#options;
    // Where that fails, the lease ends by itself.
    await releaseLease(database, applicant).catch((error: unknown) => onProblem(error as Error));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.#options.onProblem(error as Error);
      }
      await sleep(this.#pause(), undefined, { signal }).catch(() => undefined);
    }
  }

  #pause(): number {
    const term = this.#term;
    if (!term) return POLL_MS;
    if (this.isSubscribed) return term.isEstablished ? RENEW_MS : PROBATION_MS / 6;
    const pause = reconnectPause(this.#options.dialler);
    if (term.broken === 0) return pause;
    return Math.random() * Math.min(pause * 2 ** term.broken, LONGEST_PAUSE_MS);
  }

  /** Whose the lease is, and what follows from it. */
  async #look(): Promise<void> {
    const { database, applicant } = this.#options;
    const asked = performance.now();
    const groupId = await takeLease(database, applicant, LEASE_SECONDS, this.#isFirst);
    this.#isFirst = false;
    this.#isStandby = groupId === undefined;
    if (groupId === undefined) {
      this.#lose('another adapter has taken over the subscription');
      return;
    }
    if (this.#term && this.#term.groupId !== groupId) this.#lose('the group has a new id');
    if (!this.#term) {
      this.#term = { groupId, since: performance.now(), isEstablished: false, broken: 0 };
      this.#options.onGroupId(groupId);
    }
    this.#loseAfter(LEASE_SECONDS * 1000 - MARGIN_MS - (performance.now() - asked));
    if (this.#stopping.signal.aborted) return;
    if (await this.#givesWay(this.#term)) return;
    if (this.#connection) this.#endProbation(this.#term, this.#connection);
    else this.#connect(this.#term);
  }

  #loseAfter(ms: number): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#lose('the lease could not be renewed'), ms);
  }

  #lose(why: string): void {
    clearTimeout(this.#expiry);
    clearInterval(this.#beating);
    if (!this.#term) return;
    this.#term = undefined;
    this.#connection?.destroy(new Error(why));
  }

  #endProbation(term: Term, connection: BrokerConnection): void {
    if (term.isEstablished || !this.#isSubscribed) return;
    const now = performance.now();
    if (now - this.#connectedAt < PROBATION_MS) return;
    if (this.#options.beats.listenedFor(now) < PROBATION_MS) return;
    this.#establish(term);
    connection.release();
  }

  #establish(term: Term): void {
    const { sendBeat } = this.#options;
    term.isEstablished = true;
    this.#beating = setInterval(() => sendBeat(term.groupId), BEAT_MS);
  }

  /**
   * Whether another holder is alive. It is none of our group for long: our own lease was just
   * renewed. So if it stays, it belongs to another system, and we leave the group id to that.
   */
  async #givesWay(term: Term): Promise<boolean> {
    const { database, beats, onProblem } = this.#options;
    const now = performance.now();
    if (term.isEstablished || !beats.otherIsAlive(now, term.since)) return false;
    this.#connection?.destroy(new Error('another holder of the session is alive'));
    if (now - term.since < CONFLICT_AFTER_MS) return true;
    await renewGroupId(database, term.groupId);
    this.#lose('the group has a new id');
    const words = `another system uses group id ${term.groupId}: this database is a copy of its`;
    onProblem(new GroupIdConflict(`${words}. This group has a new id from now on`));
    return true;
  }

  #connect(term: Term): void {
    this.#connecting ??= this.#open(term)
      .catch((error: unknown) => this.#options.onProblem(error as Error))
      .finally(() => (this.#connecting = undefined));
  }

  async #open(term: Term): Promise<void> {
    const { dialler, filter, connection: common, onUp, onProblem } = this.#options;
    const clientId = `otaops-${term.groupId}-in`;
    const onClosed = (why: Error) => this.#closed(term, why);
    const options = { ...common, clientId, clean: false, onClosed };
    const connection = await dialler.connect(options, !term.isEstablished);
    // The lease may have been lost while we connected, or the adapter stopped.
    if (this.#term !== term || this.#stopping.signal.aborted) {
      await connection.disconnect();
      return;
    }
    if (!connection.isOpen) return;
    this.#connection = connection;
    this.#connectedAt = performance.now();
    try {
      await connection.subscribe(filter, 1);
    } catch (error) {
      connection.destroy(error as Error);
      return;
    }
    this.#isSubscribed = true;
    if (term.isEstablished) {
      if (!connection.sessionPresent) onProblem(new SessionLost(clientId));
    } else if (!connection.sessionPresent) {
      // A session that was not there yet is nobody else's.
      this.#establish(term);
    }
    onUp();
  }

  #closed(term: Term, why: Error): void {
    this.#connection = undefined;
    this.#isSubscribed = false;
    if (!term.isEstablished) term.broken += 1;
    this.#options.onProblem(why);
  }
}
