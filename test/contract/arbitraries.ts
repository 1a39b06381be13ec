/** Generators of valid messages of the contract. */
import fc from 'fast-check';
import {
  type AnyMessage,
  EVENT_STATUS_NAMES,
  EVENT_STATUS,
  MAX_EVENT_STATUS,
  newUuid,
  otaEvent,
  otaTrigger,
  otaTriggerAck,
} from '../../src/contract/index.js';

const VIN_CHARACTERS = [...'ABCDEFGHJKLMNPRSTUVWXYZ0123456789'];
const vin = fc
  .array(fc.constantFrom(...VIN_CHARACTERS), { minLength: 17, maxLength: 17 })
  .map((characters) => characters.join(''));

/** Printable, well-formed text as identifiers allow it. */
const identifier = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => text.length <= 256 && /^[^\p{Cc}\p{Cs}]+$/u.test(text));
const systemId = fc
  .array(fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789-_.:'), {
    minLength: 1,
    maxLength: 40,
  })
  .map((characters) => `c2c-sys-${characters.join('')}`);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const metaText = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .filter((text) => text.isWellFormed() && !text.includes('\0'));

const vehicle = fc.record({
  messageId: identifier,
  correlationId: identifier,
  systemId,
  subSystemId: identifier,
  vin,
  deviceId: identifier,
  ecuType: identifier,
  time,
});

const status = fc.oneof(
  fc.constantFrom(...EVENT_STATUS_NAMES).map((name) => EVENT_STATUS[name]),
  fc.integer({ min: 0, max: MAX_EVENT_STATUS }),
);

const trigger = fc
  .record({
    systemId,
    deviceId: identifier,
    ecuType: identifier,
    time,
    ttl: fc.integer({ min: -1 }),
    ackRequired: fc.boolean(),
    model: identifier,
    refId: identifier,
    script: identifier,
    vin,
  })
  .map(({ model, refId, script, vin, ...facts }) =>
    otaTrigger({
      ...facts,
      triggerId: newUuid(),
      body: { model, 'ref-id': refId, 'script-ref-id': script, vin },
    }),
  );

const ack = fc
  .record({ facts: vehicle, acknowledgedAt: time })
  .map(({ facts, acknowledgedAt }) => otaTriggerAck(facts, { acknowledge_time: acknowledgedAt }));

const event = fc
  .record({
    facts: vehicle,
    status,
    meta: fc.array(fc.record({ key: metaText, value: metaText }), { maxLength: 5 }),
    timestamp: time,
    refId: identifier,
    namesVin: fc.boolean(),
  })
  .map(({ facts, status, meta, timestamp, refId, namesVin }) =>
    otaEvent(facts, {
      ...(namesVin ? { vin: facts.vin } : {}),
      device_id: facts.deviceId,
      device_type: facts.ecuType,
      status,
      meta,
      timestamp,
      'ref-id': refId,
    }),
  );

export const anyMessage: fc.Arbitrary<AnyMessage> = fc.oneof(trigger, ack, event);
