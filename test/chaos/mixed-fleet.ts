/**
 * Two fleets on the same adapters: our own agents, which are triggered, report and repeat, and foreign vehicles, which
 * never repeat what was acknowledged to them. The first show that everything agrees in the end, the second that nothing
 * needed a repetition, and the order.
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
  /** Number of our agents, of their events, and the time over which they report them, ms. */
  readonly own: { readonly vehicles: number; readonly events: number; readonly spreadMs: number };
  /** Number of foreign vehicles, and mean interval between two messages of one, ms. */
  readonly foreign: { readonly vehicles: number; readonly pauseMs: number };
  /** Of the broker, on 127.0.0.1. */
  readonly port: number;
  /** Whether foreign vehicles sign in, as the embedded broker wants it. */
  readonly signIn?: boolean;
  readonly random: () => number;
}

export class MixedFleet {
  readonly #foreign: ForeignFleet;

  /** Registers all vehicles; ours wait for their trigger, the foreign ones report at once. */
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
    /** Of our agents. */
    readonly vins: readonly string[],
  ) {
    this.#foreign = foreign;
  }

  /** For the log of a test. */
  get progress(): string {
    return `${this.agents.acknowledged} acknowledged, ${this.#foreign.acknowledged} of foreign vehicles`;
  }

  /** Triggers our agents. */
  async trigger(client: Client, refId: string, dispatch?: DispatchOptions): Promise<void> {
    const operation = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins: [...this.vins] };
    const body = { ...operation, ...(dispatch ? { dispatch } : {}) };
    await client.call(triggerApi.trigger, { body: { time: Date.now(), version: 'v1', body } });
  }

  /** Of the foreign vehicles: see {@link ForeignFleet.sent}. */
  sent(): Map<string, SentMessages> {
    return this.#foreign.sent();
  }

  /** Whether everything that was acknowledged to foreign vehicles by now is stored within the time, ms. */
  keepsUp(adapter: { readonly client: Client }, withinMs: number): Promise<boolean> {
    return this.#foreign.keepsUp(adapter, withinMs);
  }

  /**
   * The foreign vehicles end; nothing that was acknowledged to them may be missing, twice or out of order.
   *
   * @param mayMiss see {@link ForeignFleet.verify}
   * @returns number of their events that are stored
   */
  async verifyForeign(
    adapter: { readonly client: Client },
    mayMiss?: (acknowledgedAt: number) => boolean,
  ): Promise<number> {
    await this.#foreign.stop();
    return (await this.#foreign.verify(adapter, mayMiss)).stored;
  }

  /**
   * Both fleets: see {@link verifyForeign} and {@link verify}.
   *
   * @returns number of events of both that are stored
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
