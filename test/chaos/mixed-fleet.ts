/**
 * Two fleets on the same adapters: our own agents, which are triggered, report, and repeat messages, and foreign
 * vehicles, which never repeat an acknowledged message. Our agents show that everything agrees in the end; the
 * foreign vehicles show that no message had to be repeated, and that messages are stored in order.
 */
import { type Client } from '../../src/contract/index.js';
import {
  registryApi,
  triggerApi,
  type DispatchOptions,
} from '../../src/contract/adapter-api/index.js';
import { fleetOf, registrationLine } from '../../src/fleet/index.js';
import { type SentMessages } from './deviations.js';
import { ForeignFleet, prepareOperation } from './foreign-fleet.js';
import { RecordingFleet } from './recording-fleet.js';
import { type AdapterUnderTest, verify } from './verify.js';

export interface MixedFleetOptions {
  /** Number of our agents and of each agent's events, and the time over which an agent reports them, ms. */
  readonly own: { readonly vehicles: number; readonly events: number; readonly spreadMs: number };
  /** Number of foreign vehicles, and mean interval between two messages of a vehicle, ms. */
  readonly foreign: { readonly vehicles: number; readonly pauseMs: number };
  /** Port of the broker on 127.0.0.1. */
  readonly port: number;
  /** Whether foreign vehicles sign in, as the embedded broker requires. */
  readonly signIn?: boolean;
  readonly random: () => number;
}

export class MixedFleet {
  readonly #foreign: ForeignFleet;

  /** Registers all vehicles. Our agents wait for their trigger; the foreign vehicles report at once. */
  static async start(
    { client }: { readonly client: Client },
    options: MixedFleetOptions,
  ): Promise<MixedFleet> {
    const { own, foreign, port, random } = options;
    const all = fleetOf(own.vehicles + foreign.vehicles);
    const [ours, others] = [all.slice(0, own.vehicles), all.slice(own.vehicles)];
    await client.call(registryApi.importVehicles, {
      content: { type: 'application/x-ndjson', body: ours.map(registrationLine).join('\n') },
    });
    await prepareOperation({ client }, others);
    const agents = new RecordingFleet(ours, {
      mqttUrl: `mqtt://127.0.0.1:${port}`,
      events: own.events,
      spreadMs: own.spreadMs,
      random,
    });
    await agents.start();
    const { signIn, pauseMs } = { signIn: options.signIn ?? false, ...foreign };
    return new MixedFleet(
      agents,
      new ForeignFleet({ vehicles: others, ports: [port], signIn, pauseMs }),
      ours.map(({ vin }) => vin),
    );
  }

  private constructor(
    readonly agents: RecordingFleet,
    foreign: ForeignFleet,
    /** VINs of our agents. */
    readonly vins: readonly string[],
  ) {
    this.#foreign = foreign;
  }

  /** Progress, for a test's log. */
  get progress(): string {
    return `${this.agents.acknowledged} acknowledged, ${this.#foreign.acknowledged} of foreign vehicles`;
  }

  /** Triggers our agents. */
  async trigger(client: Client, refId: string, dispatch?: DispatchOptions): Promise<void> {
    const operation = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins: [...this.vins] };
    const body = { ...operation, ...(dispatch ? { dispatch } : {}) };
    await client.call(triggerApi.trigger, { body: { time: Date.now(), version: 'v1', body } });
  }

  /** What the foreign vehicles sent: see {@link ForeignFleet.sent}. */
  sent(): Map<string, SentMessages> {
    return this.#foreign.sent();
  }

  /** Whether every message acknowledged to foreign vehicles so far is stored within this time, ms. */
  keepsUp(adapter: { readonly client: Client }, withinMs: number): Promise<boolean> {
    return this.#foreign.keepsUp(adapter, withinMs);
  }

  /**
   * Stops the foreign vehicles. None of their acknowledged messages may be missing, duplicated or out of order.
   *
   * @param mayMiss see {@link ForeignFleet.verify}
   * @returns number of stored events of the foreign vehicles
   */
  async verifyForeign(
    adapter: { readonly client: Client },
    mayMiss?: (acknowledgedAt: number) => boolean,
  ): Promise<number> {
    await this.#foreign.stop();
    return (await this.#foreign.verify(adapter, mayMiss)).stored;
  }

  /**
   * Verifies both fleets: see {@link verifyForeign} and {@link verify}.
   *
   * @returns number of stored events of both fleets
   */
  async verify(
    adapter: AdapterUnderTest,
    refId: string,
    mayMiss?: (acknowledgedAt: number) => boolean,
  ): Promise<number> {
    const stored = await this.verifyForeign(adapter, mayMiss);
    await verify(adapter, refId, this.agents, stored);
    return this.agents.vehicles * this.agents.options.events + stored;
  }

  async stop(): Promise<void> {
    await Promise.all([this.agents.stop(), this.#foreign.stop()]);
  }
}
