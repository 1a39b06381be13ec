/** Full verification by a Secondary of files from its Primary, honest or not. */
import { beforeEach, expect, test } from 'vitest';
import { checkDirectorTargetsForEcu } from '../../src/uptane/director/check-director-targets.js';
import { makeKey } from './support/keys.js';
import { FIRMWARE, forEcu, match, TestWorld, VIN } from './support/test-vehicle.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order();
  world.image.addImage('radio', Buffer.from('radio'), { match: match(3, ['hw-b']) });
  world.director.addImage('radio', Buffer.from('radio'), {
    match: match(3, ['hw-b']),
    ecuIdentifiers: forEcu('ecu-2', 'hw-b'),
  });
  world.assignmentsOf = (targets) =>
    checkDirectorTargetsForEcu(targets, { vin: VIN, ecuId: 'ecu-2', hardwareId: 'hw-b' });
});

test('a Secondary accepts only its own image', async () => {
  world.provision();
  expect(await world.paths()).toEqual(['radio']);
  expect(await world.paths()).toEqual([]);
});

test('a Secondary ignores an image for another ECU, even an unconfirmed one', async () => {
  world.image.targets.targets = { radio: world.image.targets.targets.radio ?? {} };
  world.provision();
  expect(await world.paths()).toEqual(['radio']);
});

test('a Secondary without an order fetches nothing from the image repository', async () => {
  world.director.targets.targets = { [FIRMWARE]: world.director.targets.targets[FIRMWARE] ?? {} };
  world.provision();
  expect(await world.paths()).toEqual([]);
  expect(world.imageFetcher.requests).toEqual([]);
});

test('a Secondary refuses an image that a dishonest Primary orders with its own keys', async () => {
  world.provision();
  world.order('evil', 'evil', 9, forEcu('ecu-2', 'hw-b'));
  world.director.signers = (role) => (role === 'targets' ? [makeKey()] : undefined);
  world.director.release();
  expect(await world.refusal()).toMatchObject({ code: 'signature', attack: 'arbitrary-software' });
});

test('a Secondary refuses an old release with metadata that was once valid', async () => {
  world.provision();
  const before = new Map(world.director.files);
  await world.cycle();
  world.director.release();
  world.installed.clear();
  await world.cycle();
  world.director.files.set('timestamp.json', before.get('timestamp.json') ?? Buffer.alloc(0));
  expect(await world.refusal()).toMatchObject({ code: 'rollback', attack: 'rollback' });
});

test('a Secondary refuses its image for other hardware', async () => {
  world.director.tamper = (role, signed) => {
    if (role === 'targets') signed.targets.radio.custom.ecuIdentifiers['ecu-2'].hardwareId = 'hw-c';
  };
  world.provision();
  expect(await world.refusal()).toMatchObject({ code: 'hardware-id', attack: 'wrong-ecu' });
});
