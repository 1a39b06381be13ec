/** The ECU's image records withstand an attacker's texts and orders. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Refusal } from '../../../src/uptane/refusal.js';
import { ImageRecord, type KnownImage } from '../../../src/vehicle/ecu/image-record.js';
import { temporaryDirectory } from '../../support/servers.js';

const file = () => join(temporaryDirectory('record'), 'images.json');
const imageOf = (version: string): KnownImage => ({
  path: `hu-${version}`,
  length: 1,
  hashes: new Map([['sha256', createHash('sha256').update(version).digest('hex')]]),
  releaseCounter: 7,
  match: '{}',
  version,
});

test.each([
  ['half of a surrogate pair', '\ud83d'],
  ['a pair where the text is cut', `${'a'.repeat(199)}😀`],
  ['pairs throughout', '😀'.repeat(2_000)],
  ['NUL and line ends', '\0\r\n\u2028'],
])('a detected attack with %s is stored, and read after a restart', (_what, text) => {
  const path = file();
  const record = new ImageRecord(path);
  const refusal = new Refusal(
    { repository: 'director', role: 'targets' },
    { code: 'malformed', check: 'a test', fault: text, found: text },
  );
  record.detected(refusal);
  const { detection } = new ImageRecord(path);
  expect(detection?.reason).toBe(record.detection?.reason);
  expect(detection?.reason.isWellFormed()).toBe(true);
});

test('the running image stays on record, however many images are written after it', () => {
  const path = file();
  const record = new ImageRecord(path);
  const running = imageOf('1.0.0');
  record.remember(running, running.version, undefined);
  for (let n = 1; n <= 20; n++) record.remember(imageOf(`2.0.${n}`), `2.0.${n}`, running);
  const again = new ImageRecord(path);
  expect(again.byVersion('1.0.0')?.releaseCounter).toBe(7);
  expect(again.latest?.version).toBe('2.0.20');
  expect(again.byVersion('2.0.1')).toBeUndefined();
});
