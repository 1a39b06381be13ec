/**
 * An MQTT broker as the vehicles' message platform, for any number of adapters: each publishes over
 * a connection of its own; what vehicles send is read over the group's subscription, by one adapter
 * at a time, or over a shared subscription by all of them where that is wanted.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { brokerHosts } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { type BrokerAddress, type ConnectionOptions } from './broker-connection.js';
import { BrokerDialler } from './broker-dialler.js';
import { beatTopic, HolderBeats } from './holder-beats.js';
import { KeptConnection } from './kept-connection.js';
import { type LinkHandlers, type MessageLink } from './message-link.js';
import { type PresenceTopic, saysPresent } from './presence-topic.js';
import { Subscriber } from './subscriber.js';
import { readGroupId } from './subscription-lease.js';

export interface BrokerLinkOptions {
  readonly address: BrokerAddress;
  /** Name of this adapter, the same after a restart. */
  readonly instance: string;
  /** Filter of the vehicles' topics, e.g. `d2c/+`. */
  readonly d2cFilter: string;
  /** Whether all adapters read, over a shared subscription, and not one of them. */
  readonly isShared?: boolean | undefined;
  /** Where the broker tells which vehicles have connected, if it does. */
  readonly presence?: PresenceTopic | undefined;
  readonly sessionExpirySeconds: number;
  readonly database: Queryable;
  /** ms */
  readonly clock: () => number;
  readonly handlers: LinkHandlers;
}

/**
 * Connects, and goes on trying while the broker is away.
 *
 * @throws DatabaseError where the group's id cannot be read
 */
export async function openBrokerLink(options: BrokerLinkOptions): Promise<MessageLink> {
  const { address, isShared = false } = options;
  const holder = randomUUID();
  const group: Group = {
    id: await readGroupId(options.database),
    beats: new HolderBeats(holder),
  };
  const publisher = openPublisher(options, group);
  const reader = isShared
    ? openSharedReader(options, group)
    : openReader(options, group, holder, publisher);
  return {
    address: brokerHosts(address.url),
    protocol: address.url.protocol,
    get isConnected() {
      return publisher.connection !== undefined && (reader.isSubscribed || reader.isStandby);
    },
    get isSubscribed() {
      return reader.isSubscribed;
    },
    publish: (message) => publish(publisher, message),
    pause: () => reader.pause(),
    async close() {
      await Promise.all([reader.close(), publisher.close()]);
    },
  };
}

function publish(publisher: KeptConnection, message: OutgoingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    const { connection } = publisher;
    if (!connection) {
      reject(new Error('there is no connection to the broker'));
      return;
    }
    connection.publish(message, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

interface Group {
  /** Changes where another system turns out to have the same one. */
  id: string;
  readonly beats: HolderBeats;
}

/** Reads what vehicles send. */
interface Reader {
  readonly isSubscribed: boolean;
  /** Whether it has nothing to do because another adapter reads. */
  readonly isStandby: boolean;
  pause(): Promise<void>;
  close(): Promise<void>;
}

function openReader(
  options: BrokerLinkOptions,
  group: Group,
  holder: string,
  publisher: KeptConnection,
): Reader {
  const { address, database, instance, d2cFilter, handlers } = options;
  return new Subscriber({
    dialler: new BrokerDialler(address),
    database,
    applicant: { holder, instance },
    filter: d2cFilter,
    beats: group.beats,
    sendBeat: (groupId) => publisher.connection?.publish(group.beats.beatOf(groupId), nothing),
    onGroupId: (groupId) => {
      if (group.id === groupId) return;
      group.id = groupId;
      // It listens on the group's topic, and connects again under the new id.
      publisher.connection?.destroy(new Error('the group has a new id'));
    },
    connection: fromVehicles(options),
    onUp: handlers.onSubscribed,
    onProblem: handlers.onProblem,
  });
}

function openSharedReader(options: BrokerLinkOptions, { id: groupId }: Group): Reader {
  const { address, instance, d2cFilter, handlers } = options;
  const kept = new KeptConnection({
    dialler: new BrokerDialler(address),
    connection: {
      ...fromVehicles(options),
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

function fromVehicles(
  options: BrokerLinkOptions,
): Omit<ConnectionOptions, 'clientId' | 'clean' | 'onClosed'> {
  const { sessionExpirySeconds, clock, handlers } = options;
  return {
    sessionExpirySeconds,
    clock,
    onMessage: handlers.onMessage,
    backpressure: handlers.backpressure,
  };
}

/**
 * The connection that publishes, and listens to who is there. Its session ends with it. Its client
 * id is this process's alone, so that two adapters of one name cannot break each other's.
 */
function openPublisher(options: BrokerLinkOptions, group: Group): KeptConnection {
  const { address, instance, presence, isShared = false, clock, handlers } = options;
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
        message.settle();
        // A retained message tells of what was before us.
        if (retained) return;
        const { topic, payload } = message;
        if (topic === beatTopic(group.id)) {
          group.beats.heard(payload, performance.now());
          return;
        }
        const present = presence?.systemIdOf(topic);
        if (present !== undefined && saysPresent(payload)) handlers.onVehicleConnected(present);
      },
      backpressure: () => undefined,
    },
    async prepare(connection) {
      // Each adapter hears it: to make a trigger due twice is to make it due.
      if (presence) await connection.subscribe(presence.filter, 1);
      if (isShared) return;
      await connection.subscribe(beatTopic(group.id), 0);
      group.beats.listens(performance.now());
    },
    onUp: handlers.onUp,
    onDown: () => group.beats.deaf(),
    onProblem: handlers.onProblem,
  });
}

const nothing = () => undefined;
