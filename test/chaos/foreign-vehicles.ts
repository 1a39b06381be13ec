/** Vehicles that trust PUBACK: they never repeat an acknowledged message. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { type FleetVehicle } from '../../src/fleet/index.js';
import { EVENT_STATUS } from '../../src/contract/index.js';
import { eventBytes } from '../support/messages.js';

const RECONNECT_MS = 200;
const STATUSES = [EVENT_STATUS.downloading, EVENT_STATUS.pause, EVENT_STATUS.resume];

export class ForeignVehicles {
  /** Acknowledged message_ids by VIN. */
  readonly acknowledged = new Map<string, string[]>();
  readonly #clients = new Set<MqttClient>();
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #resumed: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly vehicles: readonly FleetVehicle[],
    private readonly options: { readonly port: number; readonly refId: string },
  ) {
    setMaxListeners(0, this.#stopping.signal);
    for (const { vin } of vehicles) this.acknowledged.set(vin, []);
  }

  get count(): number {
    return [...this.acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** From now on each vehicle sends events one after another. */
  start(): void {
    this.#running = Promise.all(this.vehicles.map((vehicle) => this.#drive(vehicle)));
  }

  /** Meanwhile they begin no further message; those on their way are still acknowledged. */
  async whilePaused<T>(work: () => Promise<T>): Promise<T> {
    const done = work();
    this.#resumed = done.catch(() => undefined);
    return done;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const client of this.#clients) client.end(true);
    await this.#running;
  }

  async #drive(vehicle: FleetVehicle): Promise<void> {
    const { signal } = this.#stopping;
    const acknowledged = this.acknowledged.get(vehicle.vin) ?? [];
    let n = 0;
    while (!this.#isStopping()) {
      const client = await this.#connect(vehicle);
      try {
        while (client && !this.#isStopping()) {
          await this.#resumed;
          const messageId = `msg-dev-${n}`;
          await publish(client, `d2c/${vehicle.systemId}`, this.#event(vehicle, messageId, n));
          acknowledged.push(messageId);
          n += 1;
        }
      } catch {
        // The connection broke: repeat the message over a new one.
      }
      client?.end(true);
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #event(vehicle: FleetVehicle, messageId: string, n: number): Buffer {
    return eventBytes(vehicle, {
      messageId,
      correlationId: '',
      refId: this.options.refId,
      status: STATUSES[n % STATUSES.length] ?? EVENT_STATUS.downloading,
      timestamp: Date.now(),
    });
  }

  async #connect({ systemId, credential }: FleetVehicle): Promise<MqttClient | undefined> {
    const client = mqtt.connect(`mqtt://127.0.0.1:${this.options.port}`, {
      clientId: systemId,
      username: systemId,
      password: credential,
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
    });
    client.on('error', () => undefined);
    this.#clients.add(client);
    client.once('close', () => this.#clients.delete(client));
    const connected = await new Promise<boolean>((resolve) => {
      client.once('connect', () => resolve(true));
      client.once('close', () => resolve(false));
    });
    return connected ? client : undefined;
  }
}

/** Resolves at PUBACK; rejects if the connection closes first. */
function publish(client: MqttClient, topic: string, payload: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error('closed'));
    client.once('close', closed);
    client.publish(topic, payload, { qos: 1 }, (error) => {
      client.removeListener('close', closed);
      if (error) reject(error);
      else resolve();
    });
  });
}
