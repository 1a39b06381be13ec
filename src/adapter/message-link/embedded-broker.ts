/**
 * The embedded MQTT broker (Aedes, MQTT 3.1.1). It hands a vehicle's message to the adapter before it acknowledges it,
 * so that PUBACK follows the commit (contract section 1).
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { type TopicTemplate } from '../../contract/index.js';
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { type IdentityChanges } from '../registry/index.js';
import { type SignInGuard } from '../../service/access/index.js';
import { clientAddress, ConnectionCount } from '../../service/limits/index.js';
import { type BrokerLimit, type BrokerLimits, DEFAULT_BROKER_LIMITS } from './broker-limits.js';
import { ConnectedVehicles } from './connected-vehicles.js';
import {
  type CertifiedVehicle,
  failedCertificate,
  type FailedCertificate,
} from '../../service/vehicle-tls/index.js';
import { DEFAULT_MESSAGE_BUDGET, MessageBudget } from '../d2c-receiver/index.js';
import { HeldMessages } from './held-messages.js';
import { IdentityWatch } from './identity-watch.js';
import { type LinkHandlers, type MessageLink } from './message-link.js';
import { createMutualTlsServer, type MutualTlsOptions } from './mutual-tls.js';
import { SessionStore } from './session-store.js';
import { Unauthenticated } from './unauthenticated.js';

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** Port without TLS; 0: any free port; undefined: not opened. */
  readonly port: number | undefined;
  /** Port with TLS and client certificates. */
  readonly mutualTls?: MutualTlsOptions | undefined;
  readonly c2dTopic: TopicTemplate;
  readonly identities: VehicleIdentities;
  /** ms */
  readonly clock: () => number;
  readonly limits?: BrokerLimits | undefined;
  /** Slows down attempts to guess credentials. */
  readonly signIns?: SignInGuard | undefined;
  /** Called for each connection, subscription or message that a limit refuses. */
  readonly onRefused?: ((limit: BrokerLimit) => void) | undefined;
  /** Budget of each vehicle's messages; those beyond it are held. */
  readonly budget?: MessageBudget | undefined;
  /** Called for each held message, with the system_id. */
  readonly onOverBudget?: ((systemId: string) => void) | undefined;
  /** Called for each certificate that is rejected, belongs to no registered vehicle, or is used under another name. */
  readonly onSignInFailed?: ((attempt: FailedCertificate) => void) | undefined;
}

/** The vehicles' identities, from the registry. */
export interface VehicleIdentities {
  /** Identity of the vehicle with this credential; undefined: not registered. */
  authenticate(systemId: string, credential: string): Promise<string | undefined>;
  /** Identity of the vehicle whose certificate has this name; undefined: it is not registered. */
  identify(systemId: string): Promise<string | undefined>;
  /** Identities of the registered vehicles among these, by system_id. */
  current(systemIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** See `readIdentityChanges`. */
  changes(since: string | undefined): Promise<IdentityChanges>;
}

/** A client that stops reading is disconnected after this time, so that it does not hold up others. */
const DRAIN_TIMEOUT_MS = 20_000;
/** Messages that the broker routes at the same time. */
const CONCURRENCY = 1_000;
/** Topic of messages already handed to the adapter; nobody may subscribe to it. */
const HANDED_OVER = '$taken';
/** Properties that Aedes keeps for such a message. */
const NOTHING = Buffer.alloc(0);
/** A packet that announces more bytes is not read: messages are limited to 256 KiB. */
const MAX_PACKET_BYTES = 1024 * 1024;
/** QoS 2 messages of a client that wait for its PUBREL: vehicles use QoS 1 (contract section 3). */
const MAX_INBOUND = 16;
/** A connection is closed after this many subscriptions to topics of others. */
const MAX_REFUSED_SUBSCRIPTIONS = 16;
/** Interval of checks whether a silent client is still connected, ms; the client chooses its own keep-alive. */
const TCP_KEEPALIVE_MS = 60_000;
type ReturnCode = AuthenticateError['returnCode'];
// CONNACK return codes (MQTT 3.1.1, 3.2.2.3). Aedes exports their enum as a type only.
/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment */
const SERVER_UNAVAILABLE: ReturnCode = 3;
const NOT_AUTHORISED: ReturnCode = 5;
/* eslint-enable @typescript-eslint/no-unsafe-enum-assignment */

export class EmbeddedBroker implements MessageLink {
  readonly protocol: 'mqtt' | 'mqtts';
  readonly #options: EmbeddedBrokerOptions;
  readonly #sockets = new Set<Socket>();
  readonly #connected = new ConnectedVehicles();
  readonly #limits: BrokerLimits;
  readonly #refused: (limit: BrokerLimit) => void;
  readonly #count: ConnectionCount;
  readonly #unauthenticated: Unauthenticated;
  readonly #sessions: SessionStore;
  readonly #held: HeldMessages<Client>;
  #watch: IdentityWatch | undefined;
  #broker: Aedes | undefined;
  /** Listeners, in the order of opening; the first is the one announced to vehicles. */
  #servers: Server[] = [];
  /** Sockets whose client showed a certificate. */
  readonly #certified = new WeakMap<Duplex, CertifiedVehicle>();
  /** The underlying TCP socket of each socket that carries MQTT. */
  readonly #tcpOf = new WeakMap<Duplex, Socket>();
  #isPaused = false;

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
    this.protocol = options.port === undefined ? 'mqtts' : 'mqtt';
    const { limits = DEFAULT_BROKER_LIMITS, onRefused = () => undefined, c2dTopic } = options;
    this.#limits = limits;
    this.#refused = onRefused;
    this.#count = new ConnectionCount(limits.connections);
    this.#unauthenticated = new Unauthenticated(limits.unauthenticated, () =>
      onRefused('mqtt-unauthenticated'),
    );
    this.#held = new HeldMessages({
      budget: options.budget ?? new MessageBudget(DEFAULT_MESSAGE_BUDGET),
      onHeld: (systemId) => options.onOverBudget?.(systemId),
      onFull: ({ conn }) => {
        onRefused('mqtt-waiting');
        conn.destroy();
      },
    });
    this.#sessions = new SessionStore({
      isOwn: (systemId, topic) => topic === c2dTopic.of(systemId),
      limit: limits.queue,
      onDropped: () => onRefused('mqtt-queue'),
    });
  }

  get address(): string {
    const { port, mutualTls } = this.#options;
    return this.#addressOf(this.#servers[0], port ?? mutualTls?.port);
  }

  /** Where vehicles connect with TLS, as host:port. */
  get tlsAddress(): string | undefined {
    const { mutualTls } = this.#options;
    return mutualTls && this.#addressOf(this.#servers.at(-1), mutualTls.port);
  }

  #addressOf(server: Server | undefined, port: number | undefined): string {
    const bound = server?.address() as AddressInfo | null | undefined;
    return `${this.#options.host}:${bound?.port ?? port}`;
  }

  get isConnected(): boolean {
    return this.#servers.length > 0 && this.#servers.every(({ listening }) => listening);
  }

  get isSubscribed(): boolean {
    return this.isConnected;
  }

  async open(handlers: LinkHandlers): Promise<void> {
    const broker = await Aedes.createBroker({
      concurrency: CONCURRENCY,
      drainTimeout: DRAIN_TIMEOUT_MS,
      connectTimeout: this.#limits.connectSeconds * 1000,
      maxInflightInbound: MAX_INBOUND,
      persistence: this.#sessions,
    });
    const watch = this.#watchIdentities(handlers);
    await watch.start();
    this.#authenticateVehicles(broker, handlers, watch);
    this.#handOver(broker, handlers);
    this.#followSubscriptions(broker, handlers);
    broker.on('clientError', (_client: Client, error: Error) => handlers.onProblem(error));
    broker.on('connectionError', (_client: Client, error: Error) => {
      if (error.message === CONNECT_TIMED_OUT) this.#refused('mqtt-slow-connect');
      handlers.onProblem(error);
    });

    this.#watch = watch;
    this.#broker = broker;
    const { port, mutualTls } = this.#options;
    try {
      if (port !== undefined) {
        await this.#listen(
          createServer((socket) => this.#acceptPlain(broker, socket)),
          port,
        );
      }
      if (mutualTls) await this.#listenWithTls(broker, handlers, mutualTls);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #listen(server: Server, port: number): Promise<void> {
    server.listen({ host: this.#options.host, port, backlog: 4096 });
    await once(server, 'listening');
    this.#servers.push(server);
  }

  async #listenWithTls(
    broker: Aedes,
    handlers: LinkHandlers,
    { port, tls }: MutualTlsOptions,
  ): Promise<void> {
    const server = createMutualTlsServer({
      tls,
      handshakeSeconds: this.#limits.connectSeconds,
      admit: (socket) => this.#admit(socket),
      onVehicle: (socket, vehicle, tcp) => {
        this.#certified.set(socket, vehicle);
        this.#serve(broker, socket, tcp);
      },
      onRefused: (error) => {
        this.#refused('mqtt-certificates');
        handlers.onProblem(error);
      },
      onCertificateFailed: (socket) => this.#certificateFailed(socket),
    });
    await this.#listen(server, port);
  }

  #certificateFailed(socket: Socket): void {
    this.#options.onSignInFailed?.(failedCertificate(socket));
  }

  publish({ topic, payload }: OutgoingMessage): Promise<void> {
    const broker = this.#broker;
    if (!broker) return Promise.reject(new Error('the embedded broker is not open'));
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

  pause(): Promise<void> {
    this.#isPaused = true;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const broker = this.#broker;
    if (!broker) return;
    this.#broker = undefined;
    await this.#watch?.stop();
    this.#held.close();
    const closed = this.#servers.splice(0).map(async (server) => {
      const closing = once(server, 'close');
      server.close();
      await closing;
    });
    for (const socket of this.#sockets) socket.destroy();
    await closeBroker(broker);
    await Promise.all(closed);
  }

  /** Closes connections whose vehicle was deleted or changed its identity, through any adapter. */
  #watchIdentities(handlers: LinkHandlers): IdentityWatch {
    const { identities } = this.#options;
    return new IdentityWatch({
      read: (since) => identities.changes(since),
      onChanged: async (changed) => {
        const systemIds = changed === 'all' ? this.#sessions.systemIds : changed;
        if (systemIds.length === 0) return;
        const current = await identities.current(systemIds);
        this.#connected.endOthers(systemIds, current);
        await this.#sessions.endOthers(systemIds, current);
      },
      onFailure: handlers.onProblem,
    });
  }

  #authenticateVehicles(broker: Aedes, handlers: LinkHandlers, watch: IdentityWatch): void {
    const { identities, signIns } = this.#options;
    broker.authenticate = (client, username, password, done) => {
      const systemId = client.id;
      const refuse = (returnCode: ReturnCode) => {
        done(Object.assign(new Error('refused'), { returnCode }), false);
      };
      // A vehicle's client id and user name are its system_id (contract section 3). A certificate proves the identity, so
      // with one the user name may be omitted.
      const certified = this.#certified.get(client.conn);
      const isNamed = certified
        ? certified.systemId === systemId && (username ?? systemId) === systemId
        : username === systemId;
      if (!isNamed) {
        if (certified) this.#certificateFailed(client.conn as Socket);
        refuse(NOT_AUTHORISED);
        return;
      }
      const secret = password?.toString() ?? '';
      const address = clientAddress((client.conn as Socket).remoteAddress);
      const attempt = { kind: 'vehicle', address, name: systemId, secret } as const;
      // A certificate cannot be guessed.
      const guard = certified ? undefined : signIns;
      if (guard && guard.waitMs(attempt) > 0) {
        this.#refused('mqtt-sign-ins');
        refuse(NOT_AUTHORISED);
        return;
      }
      const signIn = async () => {
        const begun = performance.now();
        const identity = await (certified
          ? identities.identify(systemId)
          : identities.authenticate(systemId, secret));
        if (identity === undefined) {
          if (certified) this.#certificateFailed(client.conn as Socket);
          guard?.failed(attempt);
          refuse(NOT_AUTHORISED);
        }
        // When the watch saw the change, this client was not connected yet.
        else if (watch.hasChangedSince(systemId, begun)) await signIn();
        else {
          guard?.succeeded(attempt);
          // Before any message stored in the session is sent.
          await this.#sessions.claim(systemId, identity);
          this.#unauthenticated.remove(this.#tcpOf.get(client.conn));
          this.#connected.add(client, identity);
          client.conn.once('close', () => this.#held.drop(client));
          done(null, true);
        }
      };
      signIn().catch((error: unknown) => {
        handlers.onProblem(error as Error);
        refuse(SERVER_UNAVAILABLE);
      });
    };
    const refusedOf = new WeakMap<Client, number>();
    broker.authorizeSubscribe = (client, subscription, done) => {
      const isOwn = subscription.topic === this.#options.c2dTopic.of(client.id);
      if (!isOwn) {
        const refused = (refusedOf.get(client) ?? 0) + 1;
        refusedOf.set(client, refused);
        if (refused === MAX_REFUSED_SUBSCRIPTIONS) {
          this.#refused('mqtt-subscriptions');
          client.conn.destroy();
        }
      }
      // null refuses this subscription (SUBACK 0x80) and keeps the connection.
      done(null, isOwn ? subscription : null);
    };
  }

  #handOver(broker: Aedes, handlers: LinkHandlers): void {
    broker.authorizePublish = (client, packet, done) => {
      // A last will that outlived its session has no sender whose topic it could be checked against.
      if (client === null) {
        done(new Error('last wills of ended sessions are refused'));
        return;
      }
      // Without an answer there is no PUBACK, so the vehicle keeps the message. The same applies to a message that was still
      // in transit when the connection was closed.
      if (this.#isPaused || !this.#connected.has(client)) return;
      const { topic } = packet;
      let payload: Uint8Array =
        typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
      // Vehicles never receive each other's messages: the adapter is the only receiver.
      packet.topic = HANDED_OVER;
      packet.payload = NOTHING;
      packet.retain = false;
      const receivedAt = this.#options.clock();
      this.#held.pass(client, client.id, {
        bytes: topic.length + payload.byteLength,
        keep: () => (payload = new Uint8Array(payload)),
        handOn: () => {
          if (this.#isPaused || !this.#connected.has(client)) return;
          handlers.onMessage({
            topic,
            payload,
            payloadBytes: payload.byteLength,
            // The embedded broker never redelivers a message; only the vehicle could say that it repeats one.
            isRepeated: false,
            receivedAt,
            publisher: client.id,
            acknowledge: () => done(null),
          });
        },
      });
    };
  }

  #followSubscriptions(broker: Aedes, handlers: LinkHandlers): void {
    broker.on('subscribe', (subscriptions, client) => {
      const own = this.#options.c2dTopic.of(client.id);
      if (subscriptions.some(({ topic, qos }) => topic === own && (qos as number) < 128)) {
        handlers.onVehicleConnected(client.id);
      }
    });
  }

  #acceptPlain(broker: Aedes, socket: Socket): void {
    if (this.#admit(socket)) this.#serve(broker, socket, socket);
  }

  /** Applies the limits to a new connection. @returns whether it may stay open */
  #admit(socket: Socket): boolean {
    const exceeded = this.#count.add(socket);
    if (exceeded) {
      this.#refused(exceeded === 'inAll' ? 'mqtt-connections' : 'mqtt-connections-per-address');
      socket.destroy();
      return false;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    this.#unauthenticated.add(socket);
    return true;
  }

  /** @param socket carries MQTT @param tcp the socket below TLS; without TLS, the same one */
  #serve(broker: Aedes, socket: Socket, tcp: Socket): void {
    this.#tcpOf.set(socket, tcp);
    // With TLS, these bytes include the handshake.
    const before = socket.bytesRead;
    const client = broker.handle(socket);
    const { connectBytes } = this.#limits;
    // Aedes has already read the bytes that arrived first.
    socket.on('readable', () => {
      if (announcedBytes(client) > MAX_PACKET_BYTES) socket.destroy();
      else if (
        !hasConnect(client) &&
        (announcedBytes(client) > connectBytes || socket.bytesRead - before > connectBytes)
      ) {
        this.#refused('mqtt-connect-bytes');
        socket.destroy();
      }
    });
  }
}

/** Aedes's error if CONNECT does not arrive. */
const CONNECT_TIMED_OUT = 'connect did not arrive in time';

/** Whether CONNECT has arrived completely; after that, Aedes reads nothing until the vehicle has signed in. */
function hasConnect({ connecting, connected }: Client): boolean {
  return connecting || connected;
}

/** Length of the packet being read: Aedes has no setting for a limit. */
function announcedBytes(client: Client): number {
  const parser = (client as unknown as { _parser?: { packet?: { length?: number } } })._parser;
  return parser?.packet?.length ?? 0;
}

function closeBroker(broker: Aedes): Promise<void> {
  return new Promise((resolve) => broker.close(resolve));
}
