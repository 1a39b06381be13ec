/**
 * An MQTT broker as the vehicles' message platform, shared by any number of adapters: each has a
 * session of its own in one shared subscription, and empties the sessions of those that are lost.
 */
import { randomUUID } from 'node:crypto';
import { type Queryable } from '../../service/database/index.js';
import {
  type BrokerAddress,
  type BrokerConnection,
  connectToBroker,
  type ConnectionOptions,
} from './broker-connection.js';
import { type LinkHandlers, type MessageLink } from './message-link.js';
import { type PresenceTopic, saysPresent } from './presence-topic.js';
import {
  abandonSession,
  adoptSession,
  endSession,
  renewSessions,
  suspectEndedSessions,
  takeSession,
} from './session-lease.js';

export interface BrokerLinkOptions {
  readonly address: BrokerAddress;
  /** Name of this adapter, the same after a restart; another one of the same name displaces it. */
  readonly instance: string;
  /** Filter of the vehicles' topics, e.g. `d2c/+`. */
  readonly d2cFilter: string;
  /** Where the broker tells which vehicles have connected, if it does. */
  readonly presence?: PresenceTopic | undefined;
  readonly sessionExpirySeconds: number;
  readonly database: Queryable;
  /** ms */
  readonly clock: () => number;
  readonly handlers: LinkHandlers;
}

const SHARE = '$share/otaops/';
/** A lost adapter's session is adopted after lease + tick at the latest: well within 30 s. */
const LEASE_SECONDS = 12;
const TICK_MS = 4_000;
/** After a database outage all leases look lost: their holders get so many ticks to renew them. */
const TICKS_BEFORE_ADOPTING = 2;
const KEEPALIVE_SECONDS = 10;
const RECONNECT_MS = 1_000;
/** A session from which nothing has come for so long has been emptied. */
const EMPTY_AFTER_MS = 1_000;
const DRAIN_MS = 5_000;
/** Sessions of others that are emptied at the same time. */
const MAX_ADOPTED = 8;

/** Connects, and goes on trying while the broker is away. */
export function openBrokerLink(options: BrokerLinkOptions): MessageLink {
  return new BrokerLink(options);
}

class BrokerLink implements MessageLink {
  readonly address: string;
  readonly protocol: string;
  readonly #options: BrokerLinkOptions;
  readonly #holder = randomUUID();
  readonly #timer: NodeJS.Timeout;
  #clientId: string;
  #own: BrokerConnection | undefined;
  #subscription = '';
  #connecting: Promise<void> | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #reconnectTimer: NodeJS.Timeout | undefined;
  readonly #adopting = new Map<string, Promise<void>>();
  #healthyTicks = 0;
  #closing = false;
  #isEmptied = false;
  #wasAway = false;

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    const url = new URL(options.address.url);
    this.address = url.host;
    this.protocol = url.protocol.replace(':', '');
    this.#clientId = `otaops-${options.instance}`;
    this.#timer = setInterval(() => {
      this.#ticking = this.#ticking.then(() => this.#tick());
    }, TICK_MS);
    this.#connect();
  }

  get isConnected(): boolean {
    return this.#own?.isConnected === true && this.#subscription !== '';
  }

  publish(message: Parameters<MessageLink['publish']>[0]): Promise<void> {
    if (!this.#own) return Promise.reject(new Error('there is no connection to the broker'));
    return this.#own.publish(message);
  }

  /**
   * Takes what the broker has already chosen us for, and no more. The session is ended if it is
   * empty; else the next adapter that looks adopts it.
   */
  async pause(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    clearTimeout(this.#reconnectTimer);
    await this.#connecting;
    const own = this.#own;
    if (!own?.isConnected || this.#subscription === '') return;
    await own.unsubscribe(this.#subscription).catch(() => undefined);
    this.#subscription = '';
    this.#isEmptied = await this.#emptied(own, DRAIN_MS);
  }

  async close(): Promise<void> {
    await this.pause();
    await this.#ticking;
    const own = this.#own;
    this.#own = undefined;
    await this.#leave(own, this.#clientId, this.#isEmptied && own?.unsettled === 0);
    await Promise.all(this.#adopting.values());
  }

  #connect(): void {
    this.#connecting ??= this.#tryToConnect()
      .catch((error: unknown) => {
        this.#options.handlers.onProblem(error as Error);
        this.#connectLater();
      })
      .finally(() => (this.#connecting = undefined));
  }

  async #tryToConnect(): Promise<void> {
    const { database, d2cFilter, presence } = this.#options;
    await takeSession(database, this.#clientId, this.#holder, LEASE_SECONDS);
    const own = await connectToBroker(
      this.#connectionTo(this.#clientId, () => {
        this.#own = undefined;
        this.#subscription = '';
        this.#wasAway = true;
        if (!this.#closing) this.#connectLater();
      }),
    );
    this.#own = own;
    const subscription = (own.canShare ? SHARE : '') + d2cFilter;
    try {
      // Each adapter hears it: to make a trigger due twice is to make it due.
      if (presence) await own.subscribe(presence.filter);
      await own.subscribe(subscription);
    } catch (error) {
      await own.close({ endSession: false });
      throw error;
    }
    this.#subscription = subscription;
    this.#options.handlers.onUp();
    if (this.#wasAway) await this.#suspectEndedSessions();
  }

  async #suspectEndedSessions(): Promise<void> {
    const { database, sessionExpirySeconds, handlers } = this.#options;
    try {
      await suspectEndedSessions(database, sessionExpirySeconds);
      this.#wasAway = false;
    } catch (error) {
      // The next tick tries again.
      handlers.onProblem(error as Error);
    }
  }

  #connectLater(): void {
    if (this.#closing) return;
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = setTimeout(() => {
      void this.#makeSureOfSession().then(() => {
        if (!this.#closing) this.#connect();
      });
    }, RECONNECT_MS);
  }

  /** A process that was frozen past its lease may find its session in other hands. */
  async #makeSureOfSession(): Promise<void> {
    const held = await this.#renew();
    if (held && !held.has(this.#clientId)) this.#clientId = `otaops-${randomUUID()}`;
  }

  /** @returns undefined where the database does not answer */
  async #renew(): Promise<Set<string> | undefined> {
    try {
      return await renewSessions(this.#options.database, this.#holder, LEASE_SECONDS);
    } catch (error) {
      this.#options.handlers.onProblem(error as Error);
      return undefined;
    }
  }

  async #tick(): Promise<void> {
    const held = await this.#renew();
    if (!held || !this.#own) {
      this.#healthyTicks = 0;
      return;
    }
    if (!held.has(this.#clientId)) {
      // The connection breaks, and the next one is made under another client id.
      await this.#own.close({ endSession: false });
      return;
    }
    if (this.#wasAway) await this.#suspectEndedSessions();
    this.#healthyTicks += 1;
    if (this.#healthyTicks <= TICKS_BEFORE_ADOPTING || this.#closing) return;
    try {
      while (this.#adopting.size < MAX_ADOPTED) {
        const clientId = await adoptSession(this.#options.database, this.#holder, LEASE_SECONDS);
        if (clientId === undefined) break;
        this.#adopt(clientId);
      }
    } catch (error) {
      this.#options.handlers.onProblem(error as Error);
    }
  }

  #adopt(clientId: string): void {
    const adopting = this.#empty(clientId)
      .catch((error: unknown) => this.#options.handlers.onProblem(error as Error))
      .finally(() => this.#adopting.delete(clientId));
    this.#adopting.set(clientId, adopting);
  }

  /** Takes over what the broker has for a lost adapter. If that fails, the lease ends again. */
  async #empty(clientId: string): Promise<void> {
    const connection = await connectToBroker(this.#connectionTo(clientId, () => undefined));
    let emptied = !connection.sessionPresent;
    if (!emptied) {
      const { d2cFilter, presence } = this.#options;
      await connection.unsubscribe((connection.canShare ? SHARE : '') + d2cFilter);
      if (presence) await connection.unsubscribe(presence.filter);
      while (!emptied && connection.isConnected && !this.#closing) {
        emptied = await this.#emptied(connection, TICK_MS);
      }
    }
    await this.#leave(connection, clientId, emptied);
  }

  /** Waits until nothing more comes and all that came is settled. @returns whether that is so */
  async #emptied(connection: BrokerConnection, longestMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const start = clock();
    const isEmpty = () =>
      connection.isConnected &&
      connection.unsettled === 0 &&
      clock() - Math.max(start, connection.lastArrival) >= EMPTY_AFTER_MS;
    const isGivenUp = () => this.#closing && connection !== this.#own;
    while (!isEmpty() && connection.isConnected && clock() - start < longestMs && !isGivenUp()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return isEmpty();
  }

  async #leave(
    connection: BrokerConnection | undefined,
    clientId: string,
    emptied: boolean,
  ): Promise<void> {
    const { database } = this.#options;
    try {
      await connection?.close({ endSession: emptied });
      const settle = emptied ? endSession : abandonSession;
      await settle(database, clientId, this.#holder);
    } catch (error) {
      // The lease ends by itself.
      this.#options.handlers.onProblem(error as Error);
    }
  }

  #connectionTo(clientId: string, onClosed: () => void): ConnectionOptions {
    const { address, sessionExpirySeconds, clock, handlers, presence } = this.#options;
    return {
      address,
      clientId,
      sessionExpirySeconds,
      keepaliveSeconds: KEEPALIVE_SECONDS,
      clock,
      onMessage: (received, settle, retained) => {
        const present = presence?.systemIdOf(received.topic);
        if (present === undefined) {
          handlers.onMessage(received, settle);
          return;
        }
        settle();
        // A retained one tells of a connection that is older than our own.
        if (!retained && saysPresent(received.payload)) handlers.onVehicleConnected(present);
      },
      backpressure: handlers.backpressure,
      onClosed: (why) => {
        if (why) handlers.onProblem(why);
        onClosed();
      },
    };
  }
}
