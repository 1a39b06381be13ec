/**
 * Sessions of the embedded broker, in memory: the subscriptions of each vehicle and its queued messages. A session belongs
 * to one identity of its vehicle and ends with it: the next owner of the system_id inherits nothing.
 */
import { Readable } from 'node:stream';
import { type Client, type Subscription } from 'aedes';
import MemoryPersistence from 'aedes-persistence/asyncPersistence.js';

/** A message, or the PUBREL in its place. */
type Kept = Parameters<MemoryPersistence['outgoingEnqueue']>[1];

export interface SessionStoreOptions {
  /** Whether this is the topic of this vehicle. */
  readonly isOwn: (systemId: string, topic: string) => boolean;
  /** Messages that may wait for a vehicle. */
  readonly limit: number;
  /** Called when a message is dropped to make room. */
  readonly onDropped: () => void;
}

export class SessionStore extends MemoryPersistence {
  readonly #options: SessionStoreOptions;
  readonly #queues = new Map<string, Kept[]>();
  /** The identity that owns the session. */
  readonly #identities = new Map<string, string>();

  constructor(options: SessionStoreOptions) {
    super();
    this.#options = options;
  }

  /** Assigns the session to this identity; a session of another identity is deleted. */
  async claim(systemId: string, identity: string): Promise<void> {
    const before = this.#identities.get(systemId);
    if (before !== undefined && before !== identity) await this.end(systemId);
    this.#identities.set(systemId, identity);
  }

  /** Ends the sessions of these vehicles, except those of the given identities. */
  async endOthers(
    systemIds: readonly string[],
    identities: ReadonlyMap<string, string>,
  ): Promise<void> {
    for (const systemId of systemIds) {
      const own = this.#identities.get(systemId);
      if (own !== undefined && own !== identities.get(systemId)) await this.end(systemId);
    }
  }

  /** Vehicles that have a session. */
  get systemIds(): string[] {
    return [...this.#identities.keys()];
  }

  async end(systemId: string): Promise<void> {
    const client = { id: systemId } as unknown as Client;
    this.#identities.delete(systemId);
    this.#queues.delete(systemId);
    await this.cleanSubscriptions(client);
    await this.cleanIncoming(client);
  }

  /** Aedes also passes refused subscriptions, unless all of the packet were refused. */
  override addSubscriptions(client: Client, subscriptions: Subscription[]): Promise<void> {
    const own = subscriptions.filter(({ topic }) => this.#options.isOwn(client.id, topic));
    return super.addSubscriptions(client, own);
  }

  override outgoingEnqueue(
    { clientId }: { readonly clientId: string },
    packet: Kept,
  ): Promise<void> {
    this.#enqueue(clientId, packet);
    return Promise.resolve();
  }

  override outgoingEnqueueCombi(
    subscriptions: readonly { readonly clientId: string }[],
    packet: Kept,
  ): Promise<void> {
    for (const { clientId } of subscriptions) this.#enqueue(clientId, packet);
    return Promise.resolve();
  }

  #enqueue(systemId: string, packet: Kept): void {
    const queue = this.#queues.get(systemId) ?? [];
    this.#queues.set(systemId, queue);
    if (queue.length >= this.#options.limit) {
      // A message in transit to the vehicle stays, because its PUBACK is still expected.
      const oldest = queue.findIndex(({ messageId }) => messageId === undefined);
      queue.splice(Math.max(0, oldest), 1);
      this.#options.onDropped();
    }
    queue.push({ ...packet });
  }

  /** Stores the packet identifier of a message in transit. @throws Error if the message is no longer queued */
  override outgoingUpdate({ id }: Client, packet: Kept): Promise<void> {
    const queue = this.#queues.get(id) ?? [];
    const { brokerId, brokerCounter, messageId } = packet;
    const place = queue.findIndex((kept) =>
      kept.brokerId === brokerId
        ? kept.brokerCounter === brokerCounter
        : kept.messageId === messageId,
    );
    const kept = queue[place];
    if (!kept) return Promise.reject(new Error('the message is no longer kept'));
    if (kept.brokerId === brokerId) Object.assign(kept, { messageId });
    // PUBREL replaces its PUBLISH.
    else queue[place] = packet;
    return Promise.resolve();
  }

  override outgoingClearMessageId({ id }: Client, { messageId }: Kept): Promise<Kept> {
    const queue = this.#queues.get(id) ?? [];
    const place = queue.findIndex((kept) => kept.messageId === messageId);
    const [cleared] = place < 0 ? [] : queue.splice(place, 1);
    if (queue.length === 0) this.#queues.delete(id);
    // Aedes accepts undefined for a message that is not queued, although its types do not say so.
    return Promise.resolve(cleared as unknown as Kept);
  }

  override outgoingStream({ id }: Client): Readable {
    return Readable.from([...(this.#queues.get(id) ?? [])]);
  }
}
