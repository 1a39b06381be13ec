/** An operation from start to finish: sending, control, retrigger, replay. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { eventually, platforms, type TestAdapter } from '../support/adapter.js';
import { ackBytes, eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';

describe.each(platforms())('on $name', (platform) => {
  let t: TestAdapter;
  const connected: MqttVehicle[] = [];
  beforeAll(async () => {
    t = await platform.start({
      retry: { firstPauseMs: 200, longestPauseMs: 400, maxSends: 3 },
    });
  });
  afterEach(async () => {
    for (const vehicle of connected.splice(0)) await vehicle.end();
  });
  afterAll(() => t.stop());

  let prefix = 0;
  /** Vehicles of one test, registered. */
  async function fleet(size: number): Promise<TestVehicle[]> {
    prefix += 1;
    const vehicles = Array.from({ length: size }, (_, n) => vehicleOf(prefix * 1000 + n, 'FLT'));
    await t.register(...vehicles);
    return vehicles;
  }

  async function connect(vehicle: TestVehicle): Promise<MqttVehicle> {
    const connection = await connectVehicle(t.adapter.mqttUrl, vehicle, {
      stored: () => t.stored(),
    });
    connected.push(connection);
    return connection;
  }

  const messageIdOf = (payload: Buffer) =>
    (JSON.parse(payload.toString()) as { message_id: string }).message_id;
  const path = (refId: string, rest = '') => `/v1.0/ota/operations/${refId}${rest}`;
  const stateOf = async (refId: string, { vin }: TestVehicle) =>
    (await t.call('GET', path(refId, `/vehicles/${vin}`))).body;
  const states = async (refId: string) => (await t.call('GET', path(refId))).body.states;
  const report = (vehicle: TestVehicle, refId: string, correlationId: string, status: 'success') =>
    eventBytes(vehicle, {
      messageId: newDeviceMessageId(),
      correlationId,
      refId,
      status,
      timestamp: Math.floor(Date.now() / 1000),
    });
  const acknowledge = (vehicle: TestVehicle, correlationId: string) =>
    ackBytes(vehicle, { messageId: newDeviceMessageId(), correlationId, time: 1_700_000_000 });

  describe('sending', () => {
    test('pending → sent → acknowledged → success', async () => {
      const [vehicle] = (await fleet(1)) as [TestVehicle];
      const connection = await connect(vehicle);
      await t.trigger('life', [vehicle.vin]);
      const trigger = messageIdOf(await connection.receive());
      await eventually(
        () => states('life'),
        (s) => s.sent === 1,
      );
      await connection.send(acknowledge(vehicle, trigger));
      expect(await states('life')).toEqual({ acknowledged: 1 });
      await connection.send(report(vehicle, 'life', trigger, 'success'));
      expect(await states('life')).toEqual({ success: 1 });
      expect((await t.call('GET', path('life'))).body).toMatchObject({
        vehicles: 1,
        finished: 1,
        succeeded: 1,
        failed: 0,
      });
    });

    test('an unacknowledged trigger is repeated with its message_id, then undelivered', async () => {
      const [vehicle] = (await fleet(1)) as [TestVehicle];
      const connection = await connect(vehicle);
      await t.trigger('silence', [vehicle.vin]);
      const ids = new Set<string>();
      for (let sends = 0; sends < 3; sends++) ids.add(messageIdOf(await connection.receive()));
      expect(ids.size).toBe(1);
      const given = await eventually(
        () => stateOf('silence', vehicle),
        (s) => s.state === 'undelivered',
      );
      expect(given.sends).toBe(3);
      // A late answer still counts.
      await connection.send(acknowledge(vehicle, [...ids][0] ?? ''));
      expect((await stateOf('silence', vehicle)).state).toBe('acknowledged');
    });

    test.runIf(platform.isEmbedded)(
      'a vehicle that connects gets a missed trigger at once',
      async () => {
        const slow = await platform.start({
          retry: { firstPauseMs: 3_600_000, longestPauseMs: 3_600_000, maxSends: 9 },
        });
        const vehicle = vehicleOf(1);
        await slow.register(vehicle);
        await slow.trigger('late', [vehicle.vin]);
        await eventually(
          async () => (await slow.call('GET', path('late'))).body.states,
          (s) => s.sent === 1,
        );
        const connection = await connectVehicle(slow.adapter.mqttUrl, vehicle);
        expect(messageIdOf(await connection.receive())).toMatch(/^msg-cld-/);
        await connection.end();
        await slow.stop();
      },
    );

    test('a vehicle registered later gets its trigger then', async () => {
      const vehicle = vehicleOf(5, 'NEW');
      const { body } = await t.trigger('unregistered', [vehicle.vin]);
      expect(body.rejected).toMatchObject([{ vin: vehicle.vin, errorCode: 'DEVICE_NOT_FOUND' }]);
      expect(await states('unregistered')).toEqual({ device_not_found: 1 });
      await t.register(vehicle);
      const connection = await connect(vehicle);
      expect(messageIdOf(await connection.receive())).toMatch(/^msg-cld-/);
      await eventually(
        () => states('unregistered'),
        (s) => s.sent === 1,
      );
    });
  });

  describe('control', () => {
    test('a paused operation sends nothing until resumed', async () => {
      const [first, second] = (await fleet(2)) as [TestVehicle, TestVehicle];
      const connection = await connect(second);
      await t.trigger('held', [first.vin]);
      expect((await t.call('POST', path('held', '/pause'))).body.status).toBe('paused');
      expect((await t.call('POST', path('held', '/pause'))).status).toBe(200);
      await t.trigger('held', [second.vin]);
      // The sender has checked again and sent nothing: the next message is another operation's trigger.
      await t.trigger('not held', [second.vin]);
      const body = JSON.parse((await connection.receive()).toString()) as { body: string };
      expect(Buffer.from(body.body, 'base64').toString()).toContain('not held');
      expect((await stateOf('held', second)).state).toBe('pending');
      expect((await t.call('POST', path('held', '/resume'))).body.status).toBe('active');
      await eventually(
        () => stateOf('held', second),
        (s) => s.state === 'sent',
      );
    });

    test('cancel stops unsent triggers and reports correctly what was sent', async () => {
      const [sent, unsent] = (await fleet(2)) as [TestVehicle, TestVehicle];
      await t.trigger('stopped', [sent.vin]);
      await eventually(
        () => states('stopped'),
        (s) => s.sent === 1,
      );
      await t.call('POST', path('stopped', '/pause'));
      await t.trigger('stopped', [unsent.vin]);
      const { body } = await t.call('POST', path('stopped', '/cancel'));
      expect(body).toMatchObject({ status: 'cancelled', states: { sent: 1, cancelled: 1 } });
      expect((await t.call('POST', path('stopped', '/cancel'))).body.states).toEqual(body.states);
      // Vehicles with a trigger still report, and their events are recorded.
      const connection = await connect(sent);
      const { triggerMessageId } = await stateOf('stopped', sent);
      await connection.send(report(sent, 'stopped', triggerMessageId as string, 'success'));
      expect(await states('stopped')).toEqual({ success: 1, cancelled: 1 });
      for (const action of ['/pause', '/resume', `/vehicles/${sent.vin}/retrigger`]) {
        expect(await t.call('POST', path('stopped', action))).toMatchObject({
          status: 409,
          body: { errorCode: 'OPERATION_CANCELLED' },
        });
      }
      expect(await t.trigger('stopped', [unsent.vin])).toMatchObject({ status: 409 });
    });

    test('a retrigger is a new attempt, and events of the old one do not change its state', async () => {
      const [vehicle] = (await fleet(1)) as [TestVehicle];
      const connection = await connect(vehicle);
      await t.trigger('twice', [vehicle.vin]);
      const first = messageIdOf(await connection.receive());
      await connection.send(report(vehicle, 'twice', first, 'success'));
      const { body } = await t.call('POST', path('twice', `/vehicles/${vehicle.vin}/retrigger`));
      expect(body.attempt).toBe(2);
      const second = messageIdOf(await connection.receive());
      expect(second).not.toBe(first);
      await connection.send(report(vehicle, 'twice', first, 'success'));
      await connection.send(acknowledge(vehicle, second));
      const state = await stateOf('twice', vehicle);
      expect(state).toMatchObject({ state: 'acknowledged', attempt: 2 });
      expect(state.history.map((entry: { attempt: number }) => entry.attempt)).toEqual([1, 1, 2]);
      expect(await states('twice')).toEqual({ acknowledged: 1 });
    });
  });

  test('a dead letter is replayed once its cause is fixed', async () => {
    const [vehicle] = (await fleet(1)) as [TestVehicle];
    const connection = await connect(vehicle);
    await connection.send(report(vehicle, 'early', 'msg-cld-x', 'success'));
    const { body } = await t.call('GET', `/v1.0/dead-letters?vin=${vehicle.vin}`);
    const [letter] = body.items as { id: string; reason: string }[];
    expect(letter?.reason).toBe('UNKNOWN_OPERATION');
    const replay = () => t.call('POST', `/v1.0/dead-letters/${letter?.id ?? ''}/replay`);
    expect((await replay()).body).toEqual({ outcome: 'refused', reason: 'UNKNOWN_OPERATION' });
    await t.trigger('early', [vehicle.vin]);
    expect((await replay()).body).toEqual({ outcome: 'applied', reason: null });
    expect((await stateOf('early', vehicle)).state).toBe('success');
    expect((await replay()).body).toEqual({ outcome: 'duplicate', reason: null });
    await t.storedMessages();
  });

  test('operations and vehicles are listed page by page', async () => {
    const vehicles = await fleet(5);
    for (const refId of ['page-1', 'page-2', 'page-3']) {
      await t.trigger(
        refId,
        vehicles.map(({ vin }) => vin),
      );
    }
    const first = await t.call('GET', '/v1.0/ota/operations?limit=2');
    const ids = (answer: typeof first) =>
      (answer.body.items as { 'ref-id': string }[]).map((item) => item['ref-id']);
    expect(ids(first)).toEqual(['page-3', 'page-2']);
    const second = await t.call(
      'GET',
      `/v1.0/ota/operations?limit=2&cursor=${first.body.nextCursor}`,
    );
    expect(ids(second)[0]).toBe('page-1');

    const vins: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await t.call('GET', path('page-1', `/vehicles?limit=2${cursor}`));
      vins.push(...(body.items as TestVehicle[]).map(({ vin }) => vin));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(vins).toEqual(vehicles.map(({ vin }) => vin));
  });
});
