/** An image repository with trial keys, over half a year and several processes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CarotaSettings } from '../../src/carota/settings.js';
import { openImageRepository } from '../../src/carota/image-repository/index.js';
import { type ArtifactStore } from '../../src/carota/artifacts/index.js';
import { type Database } from '../../src/service/database/index.js';
import { temporaryDirectory } from '../support/servers.js';
import { days, NOW, TestClient } from '../uptane/repository/support.js';
import { must } from '../uptane/support/must.js';

/** Nothing is uploaded here. */
const none = {} as unknown as Database & ArtifactStore;

const open = (dataDir: string, now: () => Date) =>
  openImageRepository({ dataDir } as CarotaSettings, {
    database: none,
    store: none,
    clock: () => now().getTime(),
    signingTime: () => now().getTime(),
  });

test('root and targets are renewed before they expire, without anyone’s help', async () => {
  const dataDir = temporaryDirectory('trial');
  let now = NOW;
  const { repository, rootFile } = await open(dataDir, () => now);
  const parked = new TestClient(readFileSync(must(rootFile)));
  for (let day = 0; day <= 400; day += 20) {
    now = days(day);
    await repository.refreshIfDue();
    const { attention } = await repository.status();
    expect(attention, `day ${day}`).toEqual([]);
  }
  // A vehicle that was parked all the time, whose first root has expired.
  expect(await parked.find(repository.folder, 'a.bin', now)).toBeUndefined();
  expect(parked.store.files.size).toBeGreaterThan(3);
});

test('several processes that start at once share one set of keys', async () => {
  const dataDir = temporaryDirectory('trial');
  const opened = await Promise.all([1, 2, 3].map(() => open(dataDir, () => NOW)));
  const statuses = await Promise.all(opened.map(({ repository }) => repository.status()));
  expect(new Set(statuses.map(({ published }) => JSON.stringify(published))).size).toBe(1);
  expect(readdirSync(join(dataDir, 'image-repository', 'metadata')).sort()).toEqual([
    '1.root.json',
    '1.snapshot.json',
    '1.targets.json',
    'timestamp.json',
  ]);
});
