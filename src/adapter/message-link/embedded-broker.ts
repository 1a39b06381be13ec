/**
 * The embedded MQTT broker (Aedes, MQTT 3.1.1). A message from a vehicle is handed to the adapter
 * before the broker acknowledges it, so that PUBACK follows the commit (contract section 1).
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { type TopicTemplate } from '../../contract/index.js';
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { type IdentityChanges } from '../registry/index.js';
import { ConnectedVehicles } from './connected-vehicles.js';
import { IdentityWatch } from './identity-watch.js';
import { type LinkHandlers, type MessageLink } from './message-link.js';

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly c2dTopic: TopicTemplate;
  readonly identities: VehicleIdentities;
  /** ms */
  readonly clock: () => number;
  readonly handlers: LinkHandlers;
}

/** Who vehicles are, as the registry has it. */
export interface VehicleIdentities {
  /** Identity of the vehicle with this credential; undefined: there is none. */
  authenticate(systemId: string, credential: string): Promise<string | undefined>;
  /** By system_id, for those that are registered. */
  current(systemIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** See `readIdentityChanges`. */
  changes(since: string | undefined): Promise<IdentityChanges>;
}

/** A client that stops reading is let go after this time, so that it holds up nobody else. */
const DRAIN_TIMEOUT_MS = 20_000;
/** How many messages the broker routes at a time. */
const CONCURRENCY = 1_000;
/** Where messages go that the adapter has taken; nobody may subscribe to it. */
const NOWHERE = '$taken';
/** A packet that announces more than this is not read: messages are limited to 256 KiB. */
const MAX_PACKET_BYTES = 1024 * 1024;
type ReturnCode = AuthenticateError['returnCode'];
// CONNACK return codes (MQTT 3.1.1, 3.2.2.3). Aedes exports their enum as a type only.
/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment */
const SERVER_UNAVAILABLE: ReturnCode = 3;
const NOT_AUTHORISED: ReturnCode = 5;
/* eslint-enable @typescript-eslint/no-unsafe-enum-assignment */

/** @throws Error with code EADDRINUSE where the port is taken */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<MessageLink> {
  const { c2dTopic, clock, handlers, identities } = options;
  const connected = new ConnectedVehicles();
  const broker = await Aedes.createBroker({
    concurrency: CONCURRENCY,
    drainTimeout: DRAIN_TIMEOUT_MS,
    // The check is a look-up in the database, which may have much to do.
    connectTimeout: 60_000,
  });

  const watch = new IdentityWatch({
    read: (since) => identities.changes(since),
    onChanged: async (changed) => {
      const systemIds = connected.among(changed);
      if (systemIds.length > 0) connected.endOthers(systemIds, await identities.current(systemIds));
    },
    onFailure: handlers.onProblem,
  });
  await watch.start();

  broker.authenticate = (client, username, password, done) => {
    const systemId = client.id;
    const refuse = (returnCode: ReturnCode) => {
      done(Object.assign(new Error('refused'), { returnCode }), false);
    };
    // A vehicle's client id and user name are its system_id (contract section 3).
    if (username !== systemId) {
      refuse(NOT_AUTHORISED);
      return;
    }
    const signIn = async () => {
      const begun = performance.now();
      const identity = await identities.authenticate(systemId, password?.toString() ?? '');
      if (identity === undefined) refuse(NOT_AUTHORISED);
      // Nobody was connected yet when the watch saw the change.
      else if (watch.hasChangedSince(systemId, begun)) await signIn();
      else {
        connected.add(client, identity);
        done(null, true);
      }
    };
    signIn().catch((error: unknown) => {
      handlers.onProblem(error as Error);
      refuse(SERVER_UNAVAILABLE);
    });
  };

  broker.authorizeSubscribe = (client, subscription, done) => {
    const own = subscription.topic === c2dTopic.of(client.id);
    // null refuses this subscription (SUBACK 0x80) and keeps the connection.
    done(null, own ? subscription : null);
  };

  let paused = false;
  broker.authorizePublish = (client, packet, done) => {
    // A last will that outlived its session has no sender that we could hold to its topic.
    if (client === null) {
      done(new Error('last wills of ended sessions are not taken'));
      return;
    }
    // What was still on its way when the connection was ended is not acknowledged.
    if (paused || !connected.has(client)) return;
    const { topic } = packet;
    const payload =
      typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    // Nothing that a vehicle sends goes to another one: the adapter is the only receiver.
    packet.topic = NOWHERE;
    packet.retain = false;
    handlers.onMessage({
      topic,
      payload,
      payloadBytes: payload.byteLength,
      receivedAt: clock(),
      publisher: client.id,
      settle: () => done(null),
    });
  };

  broker.on('subscribe', (subscriptions, client) => {
    const own = c2dTopic.of(client.id);
    if (subscriptions.some(({ topic, qos }) => topic === own && (qos as number) < 128)) {
      handlers.onVehicleConnected(client.id);
    }
  });
  broker.on('clientError', (_client: Client, error: Error) => handlers.onProblem(error));
  broker.on('connectionError', (_client: Client, error: Error) => handlers.onProblem(error));

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const client = broker.handle(socket);
    socket.on('readable', () => {
      if (announcedBytes(client) > MAX_PACKET_BYTES) socket.destroy();
    });
  });
  server.listen({ host: options.host, port: options.port, backlog: 4096 });
  await once(server, 'listening').catch(async (error: unknown) => {
    await watch.stop();
    await closeBroker(broker);
    throw error;
  });
  const { port } = server.address() as AddressInfo;

  return {
    address: `${options.host}:${port}`,
    protocol: 'mqtt',
    isConnected: true,
    isSubscribed: true,
    publish: (message) => publish(broker, message),
    pause() {
      paused = true;
      return Promise.resolve();
    },
    async close() {
      await watch.stop();
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closeBroker(broker);
      await closed;
    },
  };
}

/** Length of the packet that is being read. Aedes has no limit of its own to set. */
function announcedBytes(client: Client): number {
  const parser = (client as unknown as { _parser?: { packet?: { length?: number } } })._parser;
  return parser?.packet?.length ?? 0;
}

function publish(broker: Aedes, { topic, payload }: OutgoingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    broker.publish(
      { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false },
      (error) => {
        if (error) reject(error);
        else resolve();
      },
    );
  });
}

function closeBroker(broker: Aedes): Promise<void> {
  return new Promise((resolve) => broker.close(resolve));
}
