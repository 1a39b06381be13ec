/** The Director lists nothing outside an approved, running schedule, whatever the schedule's state and the caller. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vinOf } from '../support/messages.js';
import { MODEL } from './support/test-carota.js';
import { DirectorWorld, manifestOf, newEcus } from './support/test-director.js';

describe.each(['anyone', 'second-person'] as const)('with approval: %s', (approval) => {
  let world: DirectorWorld;
  let second: string;
  let vins = approval === 'anyone' ? 0 : 100;

  beforeAll(async () => {
    world = await DirectorWorld.start({ approval, adapterControlToken: 'operator' });
    const body = { role: 'planner', name: 'second' };
    second = (await world.carota.call('POST', '/v1.0/tokens', { body })).body.token;
    await world.publish({ scriptRefId: 'update', images: { HU: 'radio 1' } });
    await approveScript('update');
  });
  afterAll(async () => world.stop());

  const newVehicle = async () => {
    const vin = vinOf(++vins, 'WVA');
    const own = newEcus();
    await world.vehicle(vin, own);
    return { vin, ecus: own };
  };
  const plan = async (vin: string, fields: object = {}) => {
    const refId = `plan-${vin}`;
    const body = {
      'ref-id': refId,
      'script-ref-id': 'update',
      model: MODEL,
      vins: [vin],
      ...fields,
    };
    const answer = await world.carota.call('POST', '/v1.0/schedules', { body });
    expect(answer.body).toMatchObject({ status: 'proposed', approvedAt: null });
    return refId;
  };
  const act = async (refId: string, action: string, token?: string) => {
    const { carota } = world;
    const path = `/v1.0/schedules/${refId}`;
    // Approves the current digest.
    const { digest } = (await carota.call('GET', path)).body;
    const what = action === 'approve' ? { digest: digest ?? '0'.repeat(64) } : {};
    return carota.call('POST', `${path}/${action}`, {
      ...(token === undefined ? {} : { token }),
      body: { reason: 'a test', ...what },
    });
  };
  const approveScript = async (scriptRefId: string) => {
    const path = `/v1.0/update-scripts/${scriptRefId}`;
    const { sha256: digest } = (await world.carota.call('GET', path)).body;
    const answer = await world.carota.call('POST', `${path}/approve`, {
      token: second,
      body: { digest },
    });
    expect(answer.status).toBe(200);
  };
  /** What the metadata lists, and the order that people see. */
  const ordered = async (vin: string) => [
    Object.values(await world.listed(vin))
      .flat()
      .sort(),
    (await world.ecus(vin)).order?.['ref-id'] ?? null,
  ];
  const NOTHING = [[], null];

  test('a proposed schedule lists nothing, even after a manifest; an approved one lists its images', async () => {
    const { vin, ecus: own } = await newVehicle();
    const refId = await plan(vin);
    expect(await ordered(vin)).toEqual(NOTHING);
    expect((await world.send(vin, manifestOf(vin, own))).status).toBe(204);
    expect(await ordered(vin)).toEqual(NOTHING);
    expect((await act(refId, 'approve', second)).status).toBe(200);
    await world.until(refId, ({ waves }) => ['running', 'passed'].includes(waves[0]?.state));
    expect(await ordered(vin)).toEqual([['H-1', 'P-1'], refId]);
  });

  test('only its approval makes a proposed schedule list anything', async () => {
    const { vin } = await newVehicle();
    const refId = await plan(vin);
    for (const action of ['pause', 'resume', 'start']) await act(refId, action);
    expect(await ordered(vin)).toEqual(NOTHING);
    if (approval === 'second-person') {
      expect((await act(refId, 'approve')).body.errorCode).toBe('SECOND_PERSON_NEEDED');
      expect(await ordered(vin)).toEqual(NOTHING);
    }
    expect((await act(refId, 'stop')).status).toBe(200);
    expect((await act(refId, 'approve', second)).status).toBe(409);
    expect(await ordered(vin)).toEqual(NOTHING);
  });

  test('an approved schedule lists nothing before its time', async () => {
    const { vin } = await newVehicle();
    const refId = await plan(vin, { start: '2099-01-01T00:00:00Z' });
    expect((await act(refId, 'approve', second)).status).toBe(200);
    await world.until(refId, ({ status }) => status !== 'proposed');
    expect(await ordered(vin)).toEqual(NOTHING);
  });

  test('a proposed schedule does not take the place of the running one', async () => {
    const { vin } = await newVehicle();
    const first = await plan(vin);
    await act(first, 'approve', second);
    await world.until(first, ({ waves }) => ['running', 'passed'].includes(waves[0]?.state));
    await world.publish({ scriptRefId: `other-${vin}`, images: { TCU: 'modem 1' } });
    await approveScript(`other-${vin}`);
    const body = {
      'ref-id': `later-${vin}`,
      'script-ref-id': `other-${vin}`,
      model: MODEL,
      vins: [vin],
    };
    await world.carota.call('POST', '/v1.0/schedules', { body });
    expect(await ordered(vin)).toEqual([['H-1', 'P-1'], first]);
    await act(first, 'stop');
    expect(await ordered(vin)).toEqual(NOTHING);
  });
});
