/** One cycle of a vehicle on both repositories, without an attack: the standard’s steps. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FIRMWARE, forEcu, match, TestWorld } from './support/test-vehicle.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order();
});

describe('without an attack', () => {
  test('an image that the Director orders and the image repository confirms is installed once', async () => {
    world.provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
    expect(await world.paths()).toEqual([]);
  });

  test('files are requested in the standard’s order, under their encoded names', async () => {
    const { image } = world;
    image.addRole('supplier/qa');
    image.delegate(image.targets, 'supplier/qa', { paths: ['brakes/*'] });
    image.targets.targets = {};
    image.addImage(
      FIRMWARE,
      Buffer.from('firmware'),
      { match: match() },
      image.delegated.get('supplier/qa'),
    );
    world.provision();
    await world.cycle();
    expect(world.directorFetcher.requests).toEqual([
      '2.root.json',
      'timestamp.json',
      '1.snapshot.json',
      '1.targets.json',
    ]);
    expect(world.imageFetcher.requests).toEqual([
      '2.root.json',
      'timestamp.json',
      '1.snapshot.json',
      '1.targets.json',
      '1.supplier%2Fqa.json',
    ]);
  });

  test('the image repository is not contacted without an order', async () => {
    world.director.targets.targets = {};
    world.provision();
    expect(await world.paths()).toEqual([]);
    expect(world.imageFetcher.requests).toEqual([]);
  });

  test('with an unchanged snapshot, the cycle ends at the timestamp', async () => {
    world.provision();
    await world.cycle();
    world.director.release('timestamp');
    world.directorFetcher.requests.length = 0;
    expect(await world.paths()).toEqual([]);
    expect(world.directorFetcher.requests).toEqual(['2.root.json', 'timestamp.json']);
  });

  test('the next cycle finishes an interrupted one, even if the Director has nothing new', async () => {
    world.provision();
    world.imageFetcher.broken.add('1.snapshot.json');
    expect(await world.refusal()).toMatchObject({ code: 'network', repository: 'image' });
    world.imageFetcher.broken.clear();
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('unknown members are ignored, but covered by the signature', async () => {
    for (const repository of [world.director, world.image]) {
      repository.tamper = (_role, signed) => {
        signed.__proto__ = { x: 1 };
        signed['x-note'] = { deep: [1, { text: 'é \u2028' }] };
        if (signed.roles?.root) signed.roles.root.note = 'x';
      };
    }
    world.provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('one image for several ECUs of the same hardware, and several images', async () => {
    world = new TestWorld();
    world.image.addImage('a', Buffer.from('a'), { match: match(1, ['hw-a', 'hw-b']) });
    world.director.addImage('a', Buffer.from('a'), {
      match: match(1, ['hw-a', 'hw-b']),
      ecuIdentifiers: { ...forEcu(), ...forEcu('ecu-2', 'hw-b') },
    });
    world.provision();
    expect((await world.cycle()).map(({ ecuId }) => ecuId)).toEqual(['ecu-1', 'ecu-2']);
  });
});
