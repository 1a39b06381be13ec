/** Messages sent by vehicles. */
import {
  encodeMessage,
  EVENT_STATUS,
  type EventStatusName,
  otaEvent,
  otaTriggerAck,
} from '../../src/contract/index.js';

export interface TestVehicle {
  readonly vin: string;
  readonly systemId: string;
}

const VIN_DIGITS = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789';

/** A VIN for a number; different numbers give different VINs. */
export function vinOf(n: number, prefix = '5YJ'): string {
  let tail = '';
  for (let rest = n; tail.length < 17 - prefix.length; rest = Math.floor(rest / 33)) {
    tail = (VIN_DIGITS[rest % 33] ?? 'A') + tail;
  }
  return prefix + tail;
}

export const vehicleOf = (n: number, prefix?: string): TestVehicle => {
  const vin = vinOf(n, prefix);
  return { vin, systemId: `c2c-sys-${vin}` };
};

/** Times are wire times: seconds, or ms from 10^11 on. */
interface EventFacts {
  readonly messageId: string;
  readonly correlationId: string;
  readonly refId: string;
  readonly status: EventStatusName | number;
  readonly timestamp: number;
  readonly time?: number;
  readonly meta?: { key: string; value: string }[];
}

const facts = (vehicle: TestVehicle, messageId: string, correlationId: string) => ({
  messageId,
  correlationId,
  systemId: vehicle.systemId,
  vin: vehicle.vin,
  deviceId: 'device1234',
  ecuType: 'TCU',
  time: 0,
});

export function eventBytes(vehicle: TestVehicle, event: EventFacts): Buffer {
  const { messageId, correlationId, refId, timestamp, time = timestamp } = event;
  const status = typeof event.status === 'number' ? event.status : EVENT_STATUS[event.status];
  const message = otaEvent(facts(vehicle, messageId, correlationId), {
    vin: vehicle.vin,
    device_id: 'device1234',
    device_type: 'TCU',
    status,
    meta: event.meta ?? [],
    timestamp,
    'ref-id': refId,
  });
  return encodeMessage({ ...message, time });
}

export function ackBytes(
  vehicle: TestVehicle,
  ack: { messageId: string; correlationId: string; time: number },
): Buffer {
  const message = otaTriggerAck(facts(vehicle, ack.messageId, ack.correlationId), {
    acknowledge_time: ack.time,
  });
  return encodeMessage({ ...message, time: ack.time });
}
