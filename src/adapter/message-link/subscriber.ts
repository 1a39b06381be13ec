/**
 * The group's single durable subscription (contract section 3): an MQTT session under the group's client id, held by the
 * adapter that has the lease. The broker keeps the session across connections, so an adapter that takes over first gets
 * the unacknowledged messages, then the rest, in order.
 *
 * Two running systems with the same group id (one database being a copy of the other) must not take each other's
 * messages. A holder that finds an existing session is therefore on probation: it stores messages but acknowledges none
 * until its connection has lasted and no other holder has sent a heartbeat.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffPause } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type BrokerConnection } from './broker-connection.js';
import { type BrokerDialler } from './broker-dialler.js';
import { type ConnectionOptions } from './connection-options.js';
import { BEAT_MS, type HolderBeats } from './holder-beats.js';
import { reconnectPause } from './kept-connection.js';
import {
  type Applicant,
  countLostSession,
  noteSession,
  offerLease,
  releaseLease,
  renewGroupId,
  takeLease,
} from './subscription-lease.js';

export interface SubscriberOptions {
  readonly dialler: BrokerDialler;
  readonly database: Queryable;
  readonly applicant: Applicant;
  readonly filter: string;
  readonly beats: HolderBeats;
  /** Until when the broker answered on another connection of this adapter; monotonic, ms. */
  readonly reachedAt: () => number;
  /** Publishes a heartbeat for other holders with the same group id. */
  readonly sendBeat: (groupId: string) => void;
  /** Called with the group's id at the start and after each change. */
  readonly onGroupId: (groupId: string) => void;
  readonly connection: Omit<ConnectionOptions, 'clientId' | 'clean' | 'onClosed'>;
  /** Whether all messages read here are stored. */
  readonly isAllStored: () => boolean;
  /** Subscribed, for the first time or again. */
  readonly onUp: () => void;
  readonly onProblem: (error: Error) => void;
}

/** A dead holder is replaced after lease + poll + connecting: within 15 s. */
const LEASE_SECONDS = 10;
const RENEW_MS = 1_000;
/** How often standbys check whether the lease is free. */
const POLL_MS = 500;
/** A holder that the broker has not answered for this long offers the lease, ms: longer than a restart usually takes. */
const CUT_OFF_MS = 3_000;
/** How often an adapter that waits for the broker looks for it, ms. */
const REACH_MS = 100;
/** A holder that cannot renew its lease disconnects this long before it expires, ms. */
const MARGIN_MS = 500;
/**
 * In a cluster, the session's queue learns of a dead node later than we do. Until then it would give us newer messages
 * first, and those that it had sent to our lost connection only later, ms.
 */
const CLUSTER_GRACE_MS = 2_000;
/** Longer than a running system takes to reconnect to its session. */
const PROBATION_MS = 6_000;
/** Longer than an adapter of our own group can believe it holds a lease that it has lost. */
const CONFLICT_AFTER_MS = LEASE_SECONDS * 1000 + 2_000;
/** Longer than probation, so that one of two holders on probation completes it. */
const LONGEST_PAUSE_MS = 12_000;

/** This group's database is a copy, or was copied, and the other system is running. */
class GroupIdConflict extends Error {
  override readonly name = 'GroupIdConflict';
}

/** The broker has lost the session, and with it messages that it had acknowledged to vehicles. */
class SessionLost extends Error {
  override readonly name = 'SessionLost';
  constructor(clientId: string) {
    super(
      `the broker does not have session ${clientId}: it has lost it with the messages queued in it, or is another broker than before`,
    );
  }
}

/** The time between taking the lease and losing it. */
interface Term {
  readonly number: number;
  readonly groupId: string;
  /** Monotonic, ms. */
  readonly since: number;
  /** Whether probation is over. */
  isEstablished: boolean;
  /** Whether the broker should have the session. */
  hasSession: boolean;
  /** Abandons connection attempts: one that succeeded would take the session from the next holder. */
  readonly over: AbortController;
  /** Connections that broke during probation. */
  broken: number;
}

const newTerm = (number: number, groupId: string, hasSession: boolean): Term => ({
  number,
  groupId,
  since: performance.now(),
  isEstablished: false,
  hasSession,
  over: new AbortController(),
  broken: 0,
});

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #isFirst = true;
  /** Whether another adapter held the lease at the last check. */
  #isStandby = false;
  #term: Term | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;
  #connection: BrokerConnection | undefined;
  #connecting: Promise<void> | undefined;
  #connectedAt = 0;
  #closedAt = -Infinity;
  #isSubscribed = false;
  /** The last term in which the session was this group's beyond doubt. */
  #established: Pick<Term, 'number' | 'groupId'> | undefined;

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

  /** Reads no more messages; those already read can still be acknowledged. */
  async pause(): Promise<void> {
    this.#stopping.abort();
    this.#term?.over.abort();
    this.#connection?.pause();
    await this.#running;
    await this.#connecting;
  }

  /** Releases the lease: the next adapter that checks takes over. */
  async close(): Promise<void> {
    await this.pause();
    clearTimeout(this.#expiry);
    clearInterval(this.#beating);
    await this.#connection?.disconnect();
    this.#isSubscribed = false;
    const { database, applicant, onProblem } = this.#options;
    // If that fails, the lease expires by itself.
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
    if (!term) return this.#isCutOff() ? REACH_MS : POLL_MS;
    if (this.isSubscribed) return term.isEstablished ? RENEW_MS : PROBATION_MS / 6;
    const pause = reconnectPause(this.#options.dialler);
    if (term.broken === 0) return pause;
    // Any pause from 0 on: two holders that keep breaking each other's connection must come at different times.
    const backoff = { firstPauseMs: 2 * pause, longestPauseMs: LONGEST_PAUSE_MS, jitter: 1 };
    return backoffPause(backoff, term.broken, Math.random());
  }

  /** Takes, renews or loses the lease, and acts accordingly. */
  async #look(): Promise<void> {
    const { database, applicant } = this.#options;
    if (this.#isCutOff()) {
      await this.#giveWay();
      return;
    }
    const asked = performance.now();
    const lease = await takeLease(database, applicant, LEASE_SECONDS, this.#isFirst);
    this.#isFirst = false;
    this.#isStandby = lease === undefined;
    if (lease === undefined) {
      this.#lose('another adapter has taken over the subscription');
      return;
    }
    const { groupId, takeovers: number, hasSession } = lease;
    if (this.#term && this.#term.groupId !== groupId) this.#lose('the group has a new id');
    if (!this.#term) {
      const wasEstablished = this.#wasEstablished(number, groupId);
      const term = newTerm(number, groupId, hasSession || wasEstablished);
      this.#term = term;
      this.#options.onGroupId(groupId);
      // Nobody else had the lease that it offered.
      if (wasEstablished) this.#establish(term);
    }
    this.#loseAfter(LEASE_SECONDS * 1000 - MARGIN_MS - (performance.now() - asked));
    if (this.#stopping.signal.aborted) return;
    if (await this.#yields(this.#term)) return;
    if (this.#connection) this.#endProbation(this.#term, this.#connection);
    else if (!this.#isInClusterGrace()) this.#connect(this.#term);
    if (this.#isSubscribed && !hasSession) await noteSession(database, applicant);
  }

  #isInClusterGrace(): boolean {
    const { dialler } = this.#options;
    return dialler.hosts > 1 && performance.now() - this.#closedAt < CLUSTER_GRACE_MS;
  }

  /** One that cannot read must not keep others from it. */
  #isCutOff(): boolean {
    return !this.isSubscribed && performance.now() - this.#options.reachedAt() > CUT_OFF_MS;
  }

  /**
   * A broker that has lost what we read, and cannot store yet, would give the next holder newer messages first. We keep the
   * lease for as long as it still lasts.
   */
  async #giveWay(): Promise<void> {
    const { database, applicant, isAllStored } = this.#options;
    this.#isStandby = false;
    if (!this.#term || !isAllStored()) return;
    this.#lose('the broker does not answer');
    await offerLease(database, applicant);
  }

  #loseAfter(ms: number): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#lose('the lease could not be renewed'), ms);
  }

  #lose(why: string): void {
    clearTimeout(this.#expiry);
    clearInterval(this.#beating);
    if (!this.#term) return;
    const error = new Error(why);
    this.#term.over.abort(error);
    this.#term = undefined;
    this.#connection?.destroy(error);
  }

  #endProbation(term: Term, connection: BrokerConnection): void {
    // SUBACK may come behind more queued messages than we read without acknowledging them.
    if (term.isEstablished || !connection.isOpen) return;
    const now = performance.now();
    if (now - this.#connectedAt < PROBATION_MS) return;
    if (this.#options.beats.listenedFor(now) < PROBATION_MS) return;
    this.#establish(term);
    connection.release();
  }

  #wasEstablished(number: number, groupId: string): boolean {
    return this.#established?.number === number && this.#established.groupId === groupId;
  }

  #establish(term: Term): void {
    const { sendBeat } = this.#options;
    term.isEstablished = true;
    this.#established = term;
    this.#beating = setInterval(() => sendBeat(term.groupId), BEAT_MS);
  }

  /**
   * Whether another holder is alive. As our own lease was just renewed, it cannot be one of our group for long: if it
   * stays, it belongs to another system, and we leave the group id to that one.
   */
  async #yields(term: Term): Promise<boolean> {
    const { database, beats, onProblem } = this.#options;
    const now = performance.now();
    if (term.isEstablished || !beats.otherIsAlive(now, term.since)) return false;
    this.#connection?.destroy(new Error('another holder of the session is alive'));
    if (now - term.since < CONFLICT_AFTER_MS) return true;
    await renewGroupId(database, term.groupId);
    this.#lose('the group has a new id');
    onProblem(
      new GroupIdConflict(
        `another system uses group id ${term.groupId}: one database is a copy of the other. This group now has a new id`,
      ),
    );
    return true;
  }

  #connect(term: Term): void {
    this.#connecting ??= this.#open(term)
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#options.onProblem(error as Error);
      })
      .finally(() => (this.#connecting = undefined));
  }

  async #open(term: Term): Promise<void> {
    const { dialler, filter, connection: common, onUp } = this.#options;
    const clientId = `otaops-${term.groupId}-in`;
    const onClosed = (why: Error) => this.#closed(term, why);
    const abandon = term.over.signal;
    const options = { ...common, clientId, clean: false, onClosed, abandon };
    const connection = await dialler.connect(options, !term.isEstablished);
    // By now, the lease may be lost or the adapter stopped.
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
    if (!connection.sessionPresent) {
      if (term.hasSession) this.#report(new SessionLost(clientId));
      // A new session cannot belong to anyone else.
      if (!term.isEstablished) this.#establish(term);
    }
    term.hasSession = true;
    onUp();
  }

  #report(loss: SessionLost): void {
    const { database, onProblem } = this.#options;
    onProblem(loss);
    countLostSession(database).catch((error: unknown) => onProblem(error as Error));
  }

  #closed(term: Term, why: Error): void {
    this.#connection = undefined;
    this.#closedAt = performance.now();
    this.#isSubscribed = false;
    if (!term.isEstablished) term.broken += 1;
    this.#options.onProblem(why);
  }
}
