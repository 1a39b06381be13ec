/**
 * A real MQTT broker as the vehicles' messaging platform, for any number of adapters. Each adapter publishes over its
 * own connection. The vehicles' messages are read over the group's subscription, by one adapter at a time; or, by
 * setting, over a shared subscription, by all of them.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { brokerHosts } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { BrokerDialler } from './broker-dialler.js';
import { type BrokerAddress, type ConnectionOptions } from './connection-options.js';
import { beatTopic, HolderBeats } from './holder-beats.js';
import { KeptConnection } from './kept-connection.js';
import { type LinkHandlers, type MessageLink } from './message-link.js';
import { type PresenceTopic, saysOnline } from './presence-topic.js';
import { Subscriber } from './subscriber.js';
import { readGroupId } from './subscription-lease.js';

export interface BrokerLinkOptions {
  readonly address: BrokerAddress;
  /** Name of this adapter, the same after a restart. */
  readonly instance: string;
  /** Filter of the vehicles' topics, e.g. `d2c/+`. */
  readonly d2cFilter: string;
  /** Whether all adapters read, over a shared subscription, instead of one of them. */
  readonly isShared?: boolean | undefined;
  /** Where the broker reports which vehicles connect, if it does. */
  readonly presence?: PresenceTopic | undefined;
  readonly sessionExpirySeconds: number;
  readonly database: Queryable;
  /** ms */
  readonly clock: () => number;
}

export class BrokerLink implements MessageLink {
  readonly address: string;
  readonly protocol: string;
  readonly #options: BrokerLinkOptions;
  #publisher: KeptConnection | undefined;
  #reader: Reader | undefined;

  constructor(options: BrokerLinkOptions) {
    const { url } = options.address;
    this.#options = options;
    this.address = brokerHosts(url);
    this.protocol = url.protocol;
  }

  get isConnected(): boolean {
    const reader = this.#reader;
    const isRead = reader !== undefined && (reader.isSubscribed || reader.isStandby);
    return isRead && this.#publisher?.connection !== undefined;
  }

  get isSubscribed(): boolean {
    return this.#reader?.isSubscribed ?? false;
  }

  async open(handlers: LinkHandlers): Promise<void> {
    const options = this.#options;
    const holder = randomUUID();
    const group: Group = {
      id: await readGroupId(options.database),
      beats: new HolderBeats(holder),
    };
    const publisher = openPublisher(options, handlers, group);
    this.#publisher = publisher;
    this.#reader = options.isShared
      ? openSharedReader(options, handlers, group)
      : openReader(options, handlers, { group, holder, publisher });
  }

  publish(message: OutgoingMessage): Promise<void> {
    const connection = this.#publisher?.connection;
    if (!connection) return Promise.reject(new Error('not connected to the broker'));
    return new Promise((resolve, reject) => {
      connection.publish(message, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async pause(): Promise<void> {
    await this.#reader?.pause();
  }

  async close(): Promise<void> {
    await Promise.all([this.#reader?.close(), this.#publisher?.close()]);
  }
}

interface Group {
  /** Changes if another system turns out to have the same one. */
  id: string;
  readonly beats: HolderBeats;
}

/** Reads the vehicles' messages. */
interface Reader {
  readonly isSubscribed: boolean;
  /** Whether it is idle because another adapter reads. */
  readonly isStandby: boolean;
  pause(): Promise<void>;
  close(): Promise<void>;
}

function openReader(
  options: BrokerLinkOptions,
  handlers: LinkHandlers,
  { group, holder, publisher }: { group: Group; holder: string; publisher: KeptConnection },
): Reader {
  const { address, database, instance, d2cFilter } = options;
  return new Subscriber({
    dialler: new BrokerDialler(address),
    database,
    applicant: { holder, instance },
    filter: d2cFilter,
    beats: group.beats,
    reachedAt: () => publisher.reachedAt,
    sendBeat: (groupId) => publisher.connection?.publish(group.beats.beatOf(groupId), ignored),
    onGroupId: (groupId) => {
      if (group.id === groupId) return;
      group.id = groupId;
      // It listens on the group's topic, and reconnects under the new id.
      publisher.connection?.destroy(new Error('the group has a new id'));
    },
    connection: readingOptions(options, handlers),
    isAllStored: handlers.isAllStored,
    onUp: handlers.onSubscribed,
    onProblem: handlers.onProblem,
  });
}

function openSharedReader(
  options: BrokerLinkOptions,
  handlers: LinkHandlers,
  { id: groupId }: Group,
): Reader {
  const { address, instance, d2cFilter } = options;
  const kept = new KeptConnection({
    dialler: new BrokerDialler(address),
    connection: {
      ...readingOptions(options, handlers),
      clientId: `otaops-${groupId}-${instance}-in`,
      clean: false,
    },
    async prepare(connection) {
      if (!connection.canShare) throw new Error('the broker has no shared subscriptions');
      await connection.subscribe(`$share/otaops-${groupId}/${d2cFilter}`, 1);
    },
    onUp: handlers.onSubscribed,
    onProblem: handlers.onProblem,
  });
  return {
    get isSubscribed() {
      return kept.connection !== undefined;
    },
    isStandby: false,
    pause() {
      kept.pause();
      return Promise.resolve();
    },
    close: () => kept.close(),
  };
}

function readingOptions(
  { sessionExpirySeconds, clock }: BrokerLinkOptions,
  { onMessage, backpressure }: LinkHandlers,
): Omit<ConnectionOptions, 'clientId' | 'clean' | 'onClosed'> {
  return { sessionExpirySeconds, clock, onMessage, backpressure };
}

/**
 * The connection that publishes, and listens for heartbeats and presence. Its session ends with it. Its client id is
 * unique to this process, so that two adapters with the same name do not disconnect each other.
 */
function openPublisher(
  options: BrokerLinkOptions,
  handlers: LinkHandlers,
  group: Group,
): KeptConnection {
  const { address, instance, presence, isShared = false, clock } = options;
  const suffix = `${instance}-${randomBytes(3).toString('hex')}-out`;
  return new KeptConnection({
    dialler: new BrokerDialler(address),
    connection: {
      get clientId() {
        return `otaops-${group.id}-${suffix}`;
      },
      clean: true,
      sessionExpirySeconds: 0,
      clock,
      onMessage: (message, retained) => {
        message.acknowledge();
        // A retained message is about the time before this connection.
        if (retained) return;
        const { topic, payload } = message;
        if (topic === beatTopic(group.id)) {
          group.beats.received(payload, performance.now());
          return;
        }
        const systemId = presence?.systemIdOf(topic);
        if (systemId !== undefined && saysOnline(payload)) handlers.onVehicleConnected(systemId);
      },
      backpressure: () => undefined,
    },
    async prepare(connection) {
      // Every adapter receives it: making a trigger due twice is harmless.
      if (presence) await connection.subscribe(presence.filter, 1);
      if (isShared) return;
      await connection.subscribe(beatTopic(group.id), 0);
      group.beats.listening(performance.now());
    },
    onUp: handlers.onUp,
    onDown: () => group.beats.notListening(),
    onProblem: handlers.onProblem,
  });
}

const ignored = () => undefined;
