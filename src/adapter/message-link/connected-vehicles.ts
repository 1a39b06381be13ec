/** Clients of the embedded broker, each with the identity under which it signed in. */
import { type Client } from 'aedes';

export class ConnectedVehicles {
  /** Several with one system_id only until the broker has ended the older one. */
  readonly #clients = new Map<string, Map<Client, string>>();

  add(client: Client, identity: string): void {
    const { id } = client;
    const clients = this.#clients.get(id) ?? new Map<Client, string>();
    this.#clients.set(id, clients.set(client, identity));
    const remove = () => {
      clients.delete(client);
      if (clients.size === 0 && this.#clients.get(id) === clients) this.#clients.delete(id);
    };
    client.conn.once('close', remove);
    if (client.conn.destroyed) remove();
  }

  has(client: Client): boolean {
    return this.#clients.get(client.id)?.has(client) ?? false;
  }

  /** Ends connections of these vehicles, except those under the given identities. */
  endOthers(systemIds: readonly string[], identities: ReadonlyMap<string, string>): void {
    for (const systemId of systemIds) {
      const current = identities.get(systemId);
      const clients = this.#clients.get(systemId) ?? new Map<Client, string>();
      for (const [client, identity] of [...clients]) {
        if (identity === current) continue;
        clients.delete(client);
        client.conn.destroy();
      }
      if (clients.size === 0) this.#clients.delete(systemId);
    }
  }
}
