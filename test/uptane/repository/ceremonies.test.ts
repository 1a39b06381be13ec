/** Key ceremonies: requirements for publishing, and acceptance by vehicles. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FolderFiles, ImageRepository } from '../../../src/uptane/repository/index.js';
import { RepositoryFault } from '../../../src/uptane/repository/fault.js';
import { must } from '../support/must.js';
import { days, makeSigner, TestCeremony, TestClient } from './support.js';

test('two of three signers publish an image that vehicles find', async () => {
  const ceremony = await new TestCeremony().established();
  const client = TestClient.ofFolder(ceremony.folder);
  expect(await client.find(ceremony.folder)).toBeUndefined();
  await ceremony.addImage('a.bin', 'firmware');
  await ceremony.sign(ceremony.targets[2]);
  await expect(ceremony.publish()).rejects.toThrow(
    'targets version 2 has 1 of 2 signatures that root asks for',
  );
  await ceremony.sign(ceremony.targets[0]);
  await ceremony.publish();
  expect(await client.find(ceremony.folder)).toBe('targets');
  const { targets } = await ceremony.repository.state();
  const { hashes } = must(targets.get('targets')?.targets.get('a.bin'));
  for (const hash of Object.values(hashes)) {
    expect(readFileSync(join(ceremony.folder, 'targets', `${hash}.a.bin`), 'utf8')).toBe(
      'firmware',
    );
  }
});

test('signers on three machines sign copies of the folder, and one of them collects the signatures', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware');
  const [first, second] = [ceremony.copy(), ceremony.copy()];
  await first.sign(ceremony.targets[0]);
  await second.sign(ceremony.targets[2]);
  expect(await ceremony.repository.collect(first.files)).toHaveLength(1);
  expect(await ceremony.repository.collect(second.files)).toHaveLength(1);
  expect(await ceremony.repository.collect(second.files)).toHaveLength(0);
  await ceremony.publish();
  expect(await TestClient.ofFolder(ceremony.folder).find(ceremony.folder)).toBe('targets');
});

test('changing a proposal invalidates its signatures', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware');
  await ceremony.sign(ceremony.targets[0]);
  const path = join(ceremony.folder, 'proposal/metadata/targets.json');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('a.bin', 'b.bin'));
  const { proposed } = await ceremony.repository.status(ceremony.now);
  expect(proposed[0]?.broken).toEqual([ceremony.targets[0]?.keyId]);
  await ceremony.sign(ceremony.targets[1]);
  await expect(ceremony.publish()).rejects.toThrow('has 1 of 2 signatures');
});

test('the status shows faults and difference of the same files, even while someone else changes them', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware');
  const path = 'proposal/metadata/targets.json';
  const proposal = readFileSync(join(ceremony.folder, path), 'utf8');
  /** Someone else changes the proposal each time it has been read. */
  class ChangingFiles extends FolderFiles {
    override async read(file: string) {
      const bytes = await super.read(file);
      if (file === path) {
        writeFileSync(
          join(ceremony.folder, path),
          proposal.replaceAll('a.bin', 'b.bin').replaceAll('"hw-a"', ''),
        );
      }
      return bytes;
    }
  }
  const { repository } = ceremony;
  const changing = new ImageRepository(new ChangingFiles(ceremony.folder));
  const before = await changing.status(ceremony.now);
  expect(before.faults).toEqual([]);
  expect(before.difference.join('\n')).toContain('+ a.bin');
  const after = await repository.status(ceremony.now);
  expect(after.faults).toEqual(['targets, b.bin: it has no hardware ids']);
  expect(after.difference.join('\n')).toContain('+ b.bin');
});

test('a proposal changed by someone else must be reviewed before signing again', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware');
  const reviewed = await ceremony.repository.review(ceremony.now);
  await ceremony.addImage('b.bin', 'other');
  const signature = { keyid: ceremony.targets[0]?.keyId ?? '', sig: '00' };
  await expect(
    ceremony.repository.addSignatures(reviewed, [{ role: 'targets', version: 2, signature }]),
  ).rejects.toThrow('targets was changed while it was reviewed');
});

test('a key outside the role cannot sign', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware');
  await expect(ceremony.sign(makeSigner())).rejects.toThrow(RepositoryFault);
  await expect(ceremony.sign(ceremony.root[0])).rejects.toThrow(
    'is not one of the keys of the proposal: targets',
  );
  await expect(ceremony.signRoles(must(ceremony.targets[0]), ['root'])).rejects.toThrow(
    'nothing is proposed for root',
  );
});

test('a replayed old proposal is rejected', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware');
  await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
  const path = join(ceremony.folder, 'proposal/metadata/targets.json');
  const old = readFileSync(path);
  await ceremony.publish();
  await ceremony.addImage('a.bin', 'firmware 2', 2);
  await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
  await ceremony.publish();
  writeFileSync(path, old);
  await expect(ceremony.publish()).rejects.toThrow(
    'targets version 2 is proposed, but version 3 is already published',
  );
  await expect(ceremony.sign(ceremony.targets[2])).rejects.toThrow(
    'version 3 is already published',
  );
});

test('a wrong clock is detected before signing', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware');
  ceremony.now = days(400);
  await expect(ceremony.sign(ceremony.targets[0])).rejects.toThrow('has expired already');
  ceremony.now = new Date('1970-01-01T00:00:00Z');
  await expect(ceremony.sign(ceremony.targets[0])).rejects.toThrow('in more than 360 days');
});

test('a release counter cannot decrease', async () => {
  const ceremony = await new TestCeremony().established();
  await ceremony.addImage('a.bin', 'firmware', 7);
  await expect(ceremony.addImage('a.bin', 'older', 6)).rejects.toThrow(
    'a.bin: the release counter 6 is lower than 7',
  );
});
