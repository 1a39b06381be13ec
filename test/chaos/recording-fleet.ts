/** Vehicles that record what they sent, what was acknowledged to them, and what they received. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FleetVehicle } from '../../src/fleet/index.js';
import {
  decodeMessage,
  type EventStatusName,
  type AppliedMessage,
} from '../../src/contract/index.js';
import {
  MemoryJournal,
  MemoryOutbox,
  MqttLink,
  type OtaManager,
  type OutgoingMessage,
  type RunningUpdate,
  VehicleAgent,
  VehicleClock,
} from '../../src/vehicle/index.js';

export interface VehicleRecord {
  readonly vin: string;
  /** All messages that the vehicle created, by message_id. */
  readonly made: Map<string, AppliedMessage>;
  /** Acknowledged message_ids, with the time of the last acknowledgement, ms. */
  readonly acknowledged: Map<string, number>;
  /** message_ids of the triggers that the vehicle received. */
  readonly triggers: Set<string>;
}

/** Statuses between `received` and `success`, with pause and resume. */
const MIDDLE: readonly EventStatusName[] = ['downloading', 'pause', 'resume', 'downloading'];

export class RecordingFleet {
  readonly records = new Map<string, VehicleRecord>();
  readonly #agents: VehicleAgent[] = [];
  #ended = 0;

  constructor(
    vehicles: readonly FleetVehicle[],
    readonly options: {
      readonly mqttUrl: string;
      /** Events per vehicle, and the time over which a vehicle reports them, ms. */
      readonly events: number;
      readonly spreadMs: number;
      readonly random: () => number;
    },
  ) {
    for (const vehicle of vehicles) this.#agents.push(this.#agentOf(vehicle));
  }

  /** Starts the vehicles, spread over a few seconds. */
  async start(): Promise<void> {
    for (const [n, agent] of this.#agents.entries()) {
      agent.goOnline();
      if (n % 50 === 49) await sleep(100);
    }
  }

  get vehicles(): number {
    return this.#agents.length;
  }

  /** Vehicles whose update has finished. */
  get ended(): number {
    return this.#ended;
  }

  get acknowledged(): number {
    let sum = 0;
    for (const { acknowledged } of this.records.values()) sum += acknowledged.size;
    return sum;
  }

  get made(): number {
    let sum = 0;
    for (const { made } of this.records.values()) sum += made.size;
    return sum;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
  }

  #agentOf(vehicle: FleetVehicle): VehicleAgent {
    const record: VehicleRecord = {
      vin: vehicle.vin,
      made: new Map(),
      acknowledged: new Map(),
      triggers: new Set(),
    };
    this.records.set(vehicle.vin, record);
    return new VehicleAgent({
      identity: vehicle,
      link: new MqttLink({
        url: this.options.mqttUrl,
        systemId: vehicle.systemId,
        credential: vehicle.credential,
      }),
      otaManager: this.#managerOf(record),
      outbox: new RecordingOutbox(record),
      journal: new MemoryJournal(),
      clock: new VehicleClock(Date.now),
      onDelivered: ({ messageId }) => record.acknowledged.set(messageId, Date.now()),
    });
  }

  #managerOf(record: VehicleRecord): OtaManager {
    const { events, spreadMs, random } = this.options;
    return {
      run: async (update: RunningUpdate) => {
        const signal = update.stopping;
        record.triggers.add(update.trigger.messageId);
        setMaxListeners(0, signal);
        for (let n = 0; n < events; n++) {
          await sleep((spreadMs / events) * 2 * random(), undefined, { signal });
          const middle = MIDDLE[n % MIDDLE.length] ?? 'downloading';
          update.report(n === 0 ? 'received' : n === events - 1 ? 'success' : middle);
        }
        this.#ended += 1;
      },
    };
  }
}

/** Every message of an agent passes through its outbox. */
class RecordingOutbox extends MemoryOutbox {
  readonly #record: VehicleRecord;

  constructor(record: VehicleRecord) {
    super();
    this.#record = record;
  }

  override add(message: OutgoingMessage): void {
    const decoded = decodeMessage(Buffer.from(message.payload));
    if (!decoded.ok) throw new Error(`the agent made an invalid message: ${decoded.fault.code}`);
    const { value } = decoded;
    const isEvent = value.message_type === 'OTA_EVENT';
    this.#record.made.set(message.messageId, {
      kind: isEvent ? 'event' : 'ack',
      messageId: message.messageId,
      attempt: 1,
      eventTime: isEvent ? value.body.timestamp : 0,
      ...(isEvent ? { status: value.body.status } : {}),
    });
    super.add(message);
  }
}
