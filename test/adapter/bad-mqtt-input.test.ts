/** Invalid MQTT input becomes a dead letter with its reason, or is applied; nothing is lost. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { platformsInTurn, type TestAdapter } from '../support/adapter.js';
import { ackBytes, eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';

const ALICE = vehicleOf(1);
const BOB = vehicleOf(2);
/** Registered, but in no operation. */
const CAROL = vehicleOf(3);

describe.each(platformsInTurn())('on $name', (platform) => {
  let t: TestAdapter;
  let url: string;
  let alice: MqttVehicle;
  let refId: string;
  let triggerId: string;
  let operations = 0;

  beforeAll(async () => {
    t = await platform.start();
    url = t.adapter.mqttUrl;
    await t.register(ALICE, BOB, CAROL);
    alice = await connect(ALICE);
  });
  afterAll(async () => {
    await alice.end();
    await t.stop();
  });

  beforeEach(async () => {
    refId = `operation ${++operations}`;
    await t.trigger(refId, [ALICE.vin, BOB.vin]);
    triggerId = (await alice.receiveTrigger(refId)).message_id as string;
  });

  const connect = (vehicle: TestVehicle) =>
    connectVehicle(url, vehicle, { stored: () => t.stored() });
  const now = () => Math.floor(Date.now() / 1000);
  const event = (changes: Partial<Parameters<typeof eventBytes>[1]> = {}, vehicle = ALICE) =>
    eventBytes(vehicle, {
      messageId: newDeviceMessageId(),
      correlationId: triggerId,
      refId,
      status: 'received',
      timestamp: now(),
      ...changes,
    });
  const changed = (bytes: Buffer, changes: object) =>
    Buffer.from(JSON.stringify({ ...(JSON.parse(bytes.toString()) as object), ...changes }));

  const stateOf = async ({ vin }: TestVehicle) =>
    (await t.call('GET', `/v1.0/ota/operations/${encodeURIComponent(refId)}/vehicles/${vin}`)).body;

  const newestDeadLetter = async () =>
    (await t.call('GET', '/v1.0/dead-letters?limit=1')).body.items[0];

  describe('dead letters, acknowledged and counted', () => {
    test.each<[string, () => Buffer | string, string, string]>([
      ['not JSON', () => 'hello', 'NOT_JSON', ''],
      ['not UTF-8', () => Buffer.from([0xff, 0xfe]), 'NOT_UTF8', ''],
      ['nothing', () => '', 'NOT_JSON', ''],
      [
        'body is not base64',
        () => changed(event(), { body: '{"status":1}' }),
        'BODY_NOT_BASE64',
        '/body',
      ],
      [
        'another encoding',
        () => changed(event(), { property_bag: { body_encoding_type: 7 } }),
        'UNSUPPORTED_BODY_ENCODING',
        '/property_bag/body_encoding_type',
      ],
      [
        'system_id of another vehicle on the own topic',
        () => changed(event(), { system_id: BOB.systemId }),
        'WRONG_TOPIC',
        '/system_id',
      ],
      [
        'VIN of another vehicle',
        () => event({}, { vin: BOB.vin, systemId: ALICE.systemId }),
        'VEHICLE_NOT_REGISTERED',
        '/vin',
      ],
      [
        'VIN of another vehicle in the body only',
        () => changed(event({}, BOB), { vin: ALICE.vin, system_id: ALICE.systemId }),
        'INVALID_BODY',
        '/body/vin',
      ],
      [
        'unknown message_type',
        () => changed(event(), { message_type: 'OTA_HELLO' }),
        'UNKNOWN_MESSAGE_TYPE',
        '/message_type',
      ],
      [
        'a trigger from a vehicle',
        () => changed(event(), { message_type: 'OTA_TRIGGER', body: triggerBody() }),
        'WRONG_DIRECTION',
        '/message_type',
      ],
      [
        'ack with unknown correlation_id',
        () =>
          ackBytes(ALICE, {
            messageId: newDeviceMessageId(),
            correlationId: 'msg-cld-x',
            time: now(),
          }),
        'UNKNOWN_TRIGGER',
        '/correlation_id',
      ],
      [
        'ack of the trigger of another vehicle',
        () =>
          ackBytes(ALICE, {
            messageId: newDeviceMessageId(),
            correlationId: bobsTrigger,
            time: now(),
          }),
        'UNKNOWN_TRIGGER',
        '/correlation_id',
      ],
      ['payload over 256 KiB', () => Buffer.alloc(256 * 1024 + 1, 'x'), 'PAYLOAD_TOO_LARGE', ''],
      [
        'an operation that does not exist',
        () => event({ refId: 'nobody knows' }),
        'UNKNOWN_OPERATION',
        '/body/ref-id',
      ],
      [
        'ttl over before it arrived',
        () => changed(event(), { time: now() - 100, ttl: 10 }),
        'EXPIRED',
        '/ttl',
      ],
    ])('%s', async (_name, payload, reason, path) => {
      await prepareBobsTrigger();
      const stored = await t.storedMessages();
      const refused = await t.metric('otaops_messages_dead_letter_total');
      const bytes = Buffer.from(payload());
      await alice.send(bytes);
      expect(await newestDeadLetter()).toMatchObject({
        reason,
        path,
        topic: `d2c/${ALICE.systemId}`,
        status: reason === 'EXPIRED' ? 'EXPIRED' : 'INVALID',
        payload: bytes.subarray(0, 256 * 1024).toString('base64'),
        payloadBytes: bytes.length,
      });
      expect(await t.storedMessages()).toBe(stored + 1);
      expect(await t.metric('otaops_messages_dead_letter_total')).toBe(refused + 1);
      // The vehicle itself is unaffected.
      expect((await stateOf(ALICE)).history).toEqual([]);
      await alice.send(event());
      expect((await stateOf(ALICE)).state).toBe('received');
    });

    test('a vehicle that is not in any operation', async () => {
      const carol = await connect(CAROL);
      await carol.send(event({}, CAROL));
      await carol.end();
      expect(await newestDeadLetter()).toMatchObject({ reason: 'VEHICLE_NOT_IN_OPERATION' });
    });

    test.runIf(platform.isEmbedded)('a message on the topic of another vehicle', async () => {
      const stored = await t.storedMessages();
      await alice.send(event({ status: 'success' }, BOB), `d2c/${BOB.systemId}`);
      expect(await newestDeadLetter()).toMatchObject({
        reason: 'WRONG_TOPIC',
        topic: `d2c/${BOB.systemId}`,
      });
      expect((await stateOf(BOB)).history).toEqual([]);
      expect(await t.storedMessages()).toBe(stored + 1);
    });

    test.runIf(platform.isEmbedded)(
      'a forged trigger on the topic of another vehicle reaches nobody',
      async () => {
        const bob = await connect(BOB);
        const forged = changed(event({}, BOB), {
          message_type: 'OTA_TRIGGER',
          body: triggerBody(),
        });
        await alice.send(forged, `c2d/${BOB.systemId}`);
        expect(await newestDeadLetter()).toMatchObject({ reason: 'WRONG_TOPIC' });
        // Bob gets messages from the adapter only.
        const received = JSON.parse((await bob.receive()).toString()) as { source_id: string };
        expect(received.source_id).toBe('c2c-otaadapter');
        await bob.end();
      },
    );

    test('an unreadable dead letter is attributed to the vehicle of its topic', async () => {
      const query = `system_id=${ALICE.systemId}&reason=NOT_JSON`;
      const letters = async () => (await t.call('GET', `/v1.0/dead-letters?${query}`)).body.items;
      const [before] = await letters();
      await alice.send('no envelope at all');
      const [newest] = await letters();
      expect(newest).toMatchObject({ system_id: ALICE.systemId, vin: null });
      expect(newest.id).not.toBe(before?.id);
    });

    // Only acknowledgements require a `correlation_id`.
    test.each([
      ...['message_id', 'version', 'system_id', 'vin', 'source_id', 'target_id', 'message_type'],
      ...['time', 'property_bag', 'body', 'correlation_id'],
    ])('an envelope without %s is attributed to the vehicle of its topic', async (field) => {
      const ack = ackBytes(ALICE, {
        messageId: newDeviceMessageId(),
        correlationId: triggerId,
        time: now(),
      });
      const bytes = changed(ack, { [field]: undefined });
      expect(JSON.parse(bytes.toString())).not.toHaveProperty(field);
      await alice.send(bytes);
      expect(await newestDeadLetter()).toMatchObject({
        reason: 'INVALID_ENVELOPE',
        path: `/${field}`,
        system_id: ALICE.systemId,
        payload: bytes.toString('base64'),
      });
    });

    test('a bad message sent twice is one dead letter and one duplicate', async () => {
      const bytes = event({ refId: 'nobody knows either' });
      await alice.send(bytes);
      const duplicates = await t.metric('otaops_messages_duplicate_total');
      const deadLetters = await t.metric('otaops_messages_dead_letter_total');
      await alice.send(bytes);
      expect(await t.metric('otaops_messages_duplicate_total')).toBe(duplicates + 1);
      expect(await t.metric('otaops_messages_dead_letter_total')).toBe(deadLetters);
    });

    let bobsTrigger = '';
    const prepareBobsTrigger = async () => {
      bobsTrigger = (await stateOf(BOB)).triggerMessageId as string;
    };
    const triggerBody = () =>
      Buffer.from(
        JSON.stringify({ model: 'm', 'ref-id': refId, 'script-ref-id': 's', vin: ALICE.vin }),
      ).toString('base64');
  });

  describe('messages that are applied nevertheless', () => {
    test('an unknown status number is shown as unknown(<number>)', async () => {
      await alice.send(event({ status: 4711 }));
      expect(await stateOf(ALICE)).toMatchObject({
        state: 'unknown(4711)',
        history: [{ status: 4711, 'status-name': 'unknown(4711)' }],
      });
      const { body } = await t.call('GET', `/v1.0/ota/operations/${encodeURIComponent(refId)}`);
      expect(body.states.unknown).toBe(1);
      const list = await t.call(
        'GET',
        `/v1.0/ota/operations/${encodeURIComponent(refId)}/vehicles?state=unknown`,
      );
      expect(list.body.items).toMatchObject([{ vin: ALICE.vin }]);
    });

    test('an event with an unknown correlation_id belongs to the newest attempt', async () => {
      await alice.send(event({ correlationId: 'msg-cld-nobody', status: 'downloading' }));
      expect(await stateOf(ALICE)).toMatchObject({
        state: 'downloading',
        delivery: 'acknowledged',
        history: [{ attempt: 1 }],
      });
    });

    test('a message sent twice counts once', async () => {
      const duplicates = await t.metric('otaops_messages_duplicate_total');
      const bytes = event({ status: 'downloading' });
      await alice.send(bytes);
      await alice.send(bytes);
      expect((await stateOf(ALICE)).history).toHaveLength(1);
      expect(await t.metric('otaops_messages_duplicate_total')).toBe(duplicates + 1);
    });

    test('an acknowledgement after the events does not change the state', async () => {
      await alice.send(event({ status: 'downloading', timestamp: now() - 10 }));
      const ack = { messageId: newDeviceMessageId(), correlationId: triggerId, time: now() };
      await alice.send(ackBytes(ALICE, ack));
      expect(await stateOf(ALICE)).toMatchObject({
        state: 'downloading',
        history: [{ kind: 'event' }, { kind: 'ack' }],
      });
    });
  });

  describe.runIf(platform.isEmbedded)('the broker', () => {
    test.each([
      ['a wrong credential', ALICE, 'wrong-credential-of-alice'],
      ['a vehicle that is not registered', vehicleOf(77), 'credential-of-nobody'],
    ])('rejects %s', async (_name, vehicle, credential) => {
      await expect(connectVehicle(url, vehicle, { credential })).rejects.toThrow(
        /[Nn]ot authorized/,
      );
    });

    test('rejects the user name of another vehicle', async () => {
      const { default: mqtt } = await import('mqtt');
      const connecting = mqtt.connectAsync(url, {
        clientId: ALICE.systemId,
        username: BOB.systemId,
        password: `credential-of-${BOB.vin}`,
        reconnectPeriod: 0,
      });
      await expect(connecting).rejects.toThrow(/[Nn]ot authorized/);
    });

    test('rejects a subscription to the topic of another vehicle', async () => {
      const bob = await connect(BOB);
      for (const topic of [`c2d/${ALICE.systemId}`, 'c2d/+', '#', `d2c/${ALICE.systemId}`]) {
        await expect(bob.client.subscribeAsync(topic, { qos: 1 })).rejects.toThrow();
      }
      await bob.end();
    });

    test('disconnects a client that announces a packet of 100 MiB, before reading it', async () => {
      const { connect } = await import('node:net');
      const { hostname: host, port } = new URL(t.adapter.mqttUrl);
      const socket = connect(Number(port), host);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => undefined);
      // CONNECT with a remaining length of 100 MiB (MQTT 3.1.1, 2.2.3).
      socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x32]));
      await closed;
      expect((await t.call('GET', '/healthz')).status).toBe(200);
    });
  });

  test('the trigger that reaches the vehicle has every field of the seed', async () => {
    await t.call(
      'POST',
      `/v1.0/ota/operations/${encodeURIComponent(refId)}/vehicles/${ALICE.vin}/retrigger`,
    );
    // The first trigger may be repeated before the new one is sent.
    let envelope: Record<string, unknown>;
    do envelope = await alice.receiveTrigger(refId);
    while (envelope.message_id === triggerId);
    expect(envelope).toMatchObject({
      message_id: expect.stringMatching(/^msg-cld-[0-9a-f-]{36}$/) as string,
      correlation_id: '',
      version: 'v1',
      system_id: ALICE.systemId,
      vin: ALICE.vin,
      device_id: 'device1234',
      ecu_type: 'TCU',
      source_id: 'c2c-otaadapter',
      target_id: 'c2c-edge',
      message_type: 'OTA_TRIGGER',
      ttl: -1,
      status: 'SUBMIT',
      property_bag: { body_encoding_type: 1, ack_required: '1' },
    });
  });
});
