/** Running schedules at a CarOTA Server, with a double in place of the adapter. */
import { expect } from 'vitest';
import { type EventStatusName } from '../../../src/contract/index.js';
import { eventually } from '../../support/adapter.js';
import { vinOf } from '../../support/messages.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './test-carota.js';

export const SCRIPT = 'hu only 001';
export const vins = Array.from({ length: 40 }, (_, n) => vinOf(n, 'WVW'));

type Settings = NonNullable<Parameters<typeof startTestCarota>[1]>;
const SETTINGS = { adapterControlToken: 'operator', deadlineGrace: 0 };

export class Campaigns {
  #refIds = 0;

  static async start(): Promise<Campaigns> {
    const adapter = await startAdapterDouble();
    const carota = await startTestCarota(adapter.url, SETTINGS);
    await carota.publish(SCRIPT);
    return new Campaigns(adapter, carota);
  }

  private constructor(
    readonly adapter: AdapterDouble,
    public carota: TestCarota,
  ) {}

  async stop(): Promise<void> {
    await this.carota.stop();
    await this.adapter.stop();
  }

  /** After each test: the adapter accepts everything again, and forgets what it has seen. */
  clear(): void {
    this.adapter.answer = 202;
    this.adapter.onTrigger = () => undefined;
    this.adapter.triggers.length = 0;
    this.adapter.controls.length = 0;
  }

  async restart(settings: Settings = {}): Promise<void> {
    await this.carota.stop(true);
    await this.startAgain(settings);
  }

  /** The server is stopped. */
  async startAgain(settings: Settings = {}): Promise<void> {
    const { dataDir } = this.carota;
    this.carota = await startTestCarota(this.adapter.url, { ...SETTINGS, dataDir, ...settings });
  }

  newRefId(): string {
    return `schedule ${++this.#refIds}`;
  }

  /** A schedule whose first wave the adapter has. */
  async running(fields: object): Promise<string> {
    const refId = this.newRefId();
    const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, ...fields };
    expect((await this.carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
    await this.until(refId, ({ waves }) => waves.length > 0 && waves[0].postedAt !== null);
    return refId;
  }

  path(refId: string): string {
    return `/v1.0/schedules/${encodeURIComponent(refId)}`;
  }

  async show(refId: string) {
    return (await this.carota.call('GET', this.path(refId))).body;
  }

  until(refId: string, holds: (schedule: any) => boolean) {
    return eventually(() => this.show(refId), holds);
  }

  ask(refId: string, vin: string) {
    return this.carota.call('POST', `${this.path(refId)}/vehicles/${vin}/admission`);
  }

  async admit(refId: string, some: readonly string[]): Promise<void> {
    for (const vin of some) {
      expect((await this.ask(refId, vin)).body).toMatchObject({ admitted: true });
    }
  }

  report(refId: string, some: readonly string[], ...statuses: readonly EventStatusName[]) {
    return this.carota.callBack(
      statuses.flatMap((status) => some.map((vin) => eventOf({ refId, vin, status }))),
    );
  }
}
