/** Deliveries that the supplier's signatures do not authorise: each is refused with the reason, and changes nothing. */
import { describe, expect, test } from 'vitest';
import { signMetadata, type WrittenEnvelope } from '../../src/uptane/signing/sign.js';
import {
  brakes,
  laboratory,
  type Listed,
  radio,
  signedPart,
  suppliersOfFile,
  targetsOf,
} from './support/suppliers.js';

const world = suppliersOfFile();
const { radioFile, deliver, send, deliverAll, found, files, expectRefused } = world;

describe('refused', () => {
  const evil = { content: 'evil' };
  test.each<[string, Listed, RegExp]>([
    ['another supplier’s path', { 'brakes/fw.bin': evil }, /no delegation to radio covers/],
    ['a path below its own', { 'radio/x/fw.bin': evil }, /no delegation to radio covers/],
    ['a path that leads outside', { 'radio/..': evil }, /cannot be the path of a target/],
    ['hardware that is not its own', { 'radio/a': { ...evil, hw: ['hw-c'] } }, /no delegation/],
    [
      'hardware of which one part is not its own',
      { 'radio/a': { ...evil, hw: ['hw-a', 'hw-c'] } },
      /radio\/a for hw-c: it is not delegated to this role/,
    ],
    [
      'a path that a terminating delegation before its own ends',
      { 'radio/locked.bin': evil },
      /radio\/locked.bin for hw-a: a terminating delegation before it ends the search/,
    ],
    ['no hardware', { 'radio/a': { ...evil, hw: [] } }, /it has no hardware ids/],
  ])('%s', async (_name, listed, fault) => {
    await expectRefused({ radio: await radioFile(listed) }, fault);
  });

  test('a path at which a role of higher priority lists another image', async () => {
    const theirs = await signMetadata(
      signedPart(2, { 'radio/shared.bin': { content: 'brakes own' } }),
      [brakes],
    );
    await deliverAll({ brakes: theirs }, ['brakes own']);
    await expectRefused(
      { radio: await radioFile({ 'radio/shared.bin': evil }) },
      /radio\/shared.bin for hw-a: vehicles find another image there, of the role brakes/,
    );
  });

  test.each<[string, () => Promise<WrittenEnvelope>, RegExp]>([
    [
      'too few signatures',
      () => radioFile({ 'radio/a': evil }, { signers: radio.slice(0, 1) }),
      /radio version \d+ has 1 of 2 signatures/,
    ],
    [
      'one key twice',
      () => radioFile({ 'radio/a': evil }, { signers: [radio[0], radio[0]] }),
      /has 1 of 2 signatures/,
    ],
    [
      'keys that are not its own',
      () => radioFile({ 'radio/a': evil }, { signers: [brakes, laboratory] }),
      /has 0 of 2 signatures/,
    ],
    [
      'a change after the signature',
      async () => {
        const file = await radioFile({ 'radio/a': evil });
        return { ...file, signed: { ...file.signed, targets: targetsOf({ 'radio/b': evil }) } };
      },
      /has 0 of 2 signatures/,
    ],
    [
      'an expiry that has passed',
      () => radioFile({ 'radio/a': evil }, { expires: '2026-01-01T00:00:00Z' }),
      /has expired already/,
    ],
    [
      'an expiry in ten years',
      () => radioFile({ 'radio/a': evil }, { expires: '2036-11-27T00:00:00Z' }),
      /expires on 2036-11-27T00:00:00Z, in more than/,
    ],
    [
      'a date that does not exist',
      () => radioFile({ 'radio/a': evil }, { expires: '2027-02-30T00:00:00Z' }),
      /expires/,
    ],
    [
      'a version that uses up all others',
      () => radioFile({ 'radio/a': evil }, { version: Number.MAX_SAFE_INTEGER }),
      /leaves out more than 1000/,
    ],
    ...[1436792652304.4885, 1e300, 2 ** 53].map(
      (weight): [string, () => Promise<WrittenEnvelope>, RegExp] => [
        `the number ${weight}`,
        async () => {
          const file = await radioFile({ 'radio/a': evil });
          return { ...file, signed: { ...file.signed, weights: [[weight]] } };
        },
        /roles\.radio\.signed\.weights\[0\]\[0\] is wrong: expected an integer within .*, found the number/,
      ],
    ),
    ['another type', () => radioFile({}, { _type: 'root' }), /_type/],
    [
      'an older version',
      () => radioFile({ 'radio/a': evil }, { version: 1 }),
      /version 1 is proposed/,
    ],
    [
      'a lower release counter',
      async () => {
        const file = await radioFile({ 'radio/rc.bin': { content: 'rc', rc: 5 } });
        await deliverAll({ radio: file }, ['rc']);
        return radioFile({ 'radio/rc.bin': { content: 'rc', rc: 4 } });
      },
      /the release counter goes back from 5 to 4/,
    ],
    [
      'a delegation to a role that has no file',
      () =>
        radioFile(
          {},
          {
            delegations: {
              keys: { [laboratory.keyId]: laboratory.key },
              roles: [
                {
                  name: 'sub',
                  keyids: [laboratory.keyId],
                  threshold: 1,
                  paths: ['radio/*'],
                  terminating: false,
                },
              ],
            },
          },
        ),
      /sub is delegated to, but has no file/,
    ],
  ])('%s', async (_name, make, fault) => {
    await expectRefused({ radio: await make() }, fault);
  });

  test('the same file after a newer one: a replay', async () => {
    const old = await radioFile({ 'radio/old.bin': { content: 'radio old' } });
    await deliverAll({ radio: old }, ['radio old']);
    const now = await radioFile({ 'radio/new.bin': { content: 'radio new' } });
    await deliverAll({ radio: now }, ['radio new']);
    await expectRefused({ radio: old }, /is already published/);
    expect(await found('radio/new.bin')).toBe('radio');
  });

  test('top-level roles, roles without a delegation, and anything that is not a delivery', async () => {
    const file = await radioFile({});
    for (const role of ['targets', 'root', 'snapshot', 'timestamp']) {
      await expectRefused({ [role]: file }, /is not a delegated role/);
    }
    await expectRefused({ stranger: file }, /there is no delegation to stranger/);
    await expectRefused({}, /the delivery has no role/);
    await expectRefused({ '../radio': file }, /cannot be the name of a role/);
    const text = async (body: string) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await world.carota.call('POST', '/v1.0/image-repository/deliveries', {
        token: world.token,
        headers,
        body: Buffer.from(body),
      });
      return answer.body.errorCode;
    };
    const before = files();
    const twice = `{"roles":{"radio":${JSON.stringify(file)},"radio":${JSON.stringify(file)}}}`;
    for (const body of ['', '[]', '{', 'null', '{"roles":[]}', twice, '['.repeat(5_000)]) {
      expect(await text(body)).toMatch(/^(INVALID|NOT_JSON|BODY_MISSING|DELIVERY_REFUSED)$/);
    }
    expect(files()).toEqual(before);
  });

  test('a refusal is in the audit log', async () => {
    await expectRefused({ radio: await radioFile({ 'brakes/a': evil }) }, /no delegation/);
    const { body } = await world.carota.call('GET', '/v1.0/audit?action=refuse-delivery');
    expect(body.items[0]).toMatchObject({ action: 'refuse-delivery', tokenName: 'radio ltd' });
    expect(body.items[0].detail.faults[0]).toContain('brakes/a');
  });

  test('a caller without permission to deliver, and a supplier’s other requests', async () => {
    const planner = await world.carota.call('POST', '/v1.0/tokens', {
      body: { name: 'p', role: 'planner' },
    });
    const file = await radioFile({});
    expect((await deliver({ radio: file }, planner.body.token)).status).toBe(403);
    expect((await send('x', 'x', planner.body.token)).status).toBe(403);
    const get = await world.carota.call('GET', '/v1.0/artifacts', { token: world.token });
    expect(get.status).toBe(403);
  });
});
