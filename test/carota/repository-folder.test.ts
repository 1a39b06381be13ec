/** The image repository's folder, as the Director reads it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RepositoryFolder } from '../../src/carota/images/index.js';
import { temporaryDirectory } from '../support/servers.js';
import { TestCeremony } from '../uptane/repository/support.js';
import { sha } from '../uptane/support/test-repository.js';
import { match, RepositoryOnDisk } from './support/test-director.js';

test('has an image from its publication in a ceremony on', async () => {
  const ceremony = await new TestCeremony().established();
  const catalogue = new RepositoryFolder(ceremony.folder);
  const [, second] = ceremony.targets;
  const find = async () => (await catalogue.images()).findByPath('brakes/a.bin');
  await ceremony.addImage('brakes/a.bin', 'firmware', 7);
  await ceremony.sign(ceremony.targets[0]);
  expect(await find()).toBeUndefined();
  await ceremony.sign(second);
  expect(await find()).toBeUndefined();
  await ceremony.publish();
  expect(await find()).toEqual({
    path: 'brakes/a.bin',
    length: 8,
    hashes: expect.objectContaining({ sha256: sha('sha256', Buffer.from('firmware')) }),
    match: { hardwareIds: ['hw-a'], releaseCounter: 7 },
  });
  const images = await catalogue.images();
  expect(images.findBySha256(sha('sha256', Buffer.from('firmware')))).toHaveLength(1);
  expect(images.findBySha256(sha('sha256', Buffer.from('other')))).toEqual([]);
});

test('the first delegated role that may list a path provides it; a role’s other paths do not count', async () => {
  const repository = new RepositoryOnDisk(temporaryDirectory('delegated'));
  const image = (role: string, path: string, content: string) =>
    repository.addImage(
      path,
      Buffer.from(content),
      match(['hw-a']),
      repository.delegated.get(role),
    );
  for (const name of ['supplier', 'other']) repository.addRole(name);
  repository.delegate(repository.targets, 'supplier', { paths: ['brakes/*'] });
  repository.delegate(repository.targets, 'other', { paths: ['*/*'] });
  image('supplier', 'brakes/a', 'of the supplier');
  image('supplier', 'radio/b', 'not its business');
  image('other', 'brakes/a', 'comes too late');
  image('other', 'radio/c', 'of the other');
  repository.write();
  const images = await new RepositoryFolder(repository.folder).images();
  expect(images.findByPath('brakes/a')?.length).toBe('of the supplier'.length);
  expect(images.findByPath('radio/b')).toBeUndefined();
  expect(images.findByPath('radio/c')?.length).toBe('of the other'.length);
});

test('a missing folder is empty; a damaged one is an error until it is fixed', async () => {
  const repository = new RepositoryOnDisk(temporaryDirectory('damaged'));
  const catalogue = new RepositoryFolder(repository.folder);
  expect((await catalogue.images()).findByPath('a')).toBeUndefined();
  repository.addImage('a', Buffer.from('a'), match(['hw-a']));
  repository.addImage('for no hardware', Buffer.from('b'), {});
  repository.write();
  const timestamp = join(repository.folder, 'metadata', 'timestamp.json');
  writeFileSync(timestamp, '{}');
  await expect(catalogue.images()).rejects.toThrow(/image repository, timestamp: signatures/);
  await expect(catalogue.images()).rejects.toThrow(/image repository, timestamp: signatures/);
  repository.release().write();
  const images = await catalogue.images();
  expect(images.findByPath('a')?.length).toBe(1);
  // No vehicle can install it.
  expect(images.findByPath('for no hardware')).toBeUndefined();
});
