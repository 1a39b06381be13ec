/** The image repository of a CarOTA Server, as python-tuf's client sees it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ifInstalled, temporaryDirectory } from '../../support/servers.js';
import { tufPython } from '../../uptane/foreign/python.js';
import { must } from '../../uptane/support/must.js';
import { MODEL, startAdapterDouble, startTestCarota } from '../support/test-carota.js';

const python = await ifInstalled(tufPython);
const script = fileURLToPath(new URL('../../uptane/foreign/update.py', import.meta.url));

describe.runIf(python)('python-tuf', () => {
  test('verifies and fetches uploaded images and scripts', async () => {
    const adapter = await startAdapterDouble();
    const t = await startTestCarota(adapter.url);
    try {
      const upload = (content: string, query: string) =>
        t.call('POST', `/v1.0/artifacts?${query}`, {
          headers: { 'content-type': 'application/octet-stream' },
          body: Buffer.from(content),
        });
      await upload('brakes', 'path=brakes/fw%201.bin&hardwareIds=hw-a&releaseCounter=1');
      const state = temporaryDirectory('foreign-image-client');
      const root = must(t.carota.imageRootFile);
      const update = async (...paths: string[]) => {
        const url = `${t.carota.httpUrl}/uptane/image`;
        const args = [script, url, state, root, ...paths];
        const { stdout } = await promisify(execFile)(must(python), args);
        return stdout.trim().split('\n');
      };
      const line = (path: string, content: string) =>
        `${path} ${createHash('sha256').update(content).digest('hex')}`;
      expect(await update('brakes/fw 1.bin', 'none')).toEqual([
        line('brakes/fw 1.bin', 'brakes'),
        'none none',
      ]);
      // A vehicle from another vendor knows the script's name from its trigger, and needs nothing else.
      const { body } = await upload('radio', 'hardwareIds=hw-hu&releaseCounter=1');
      const { sha256, md5, size } = body;
      const text = {
        version: 'v1',
        'script-ref-id': 'hu only 001',
        model: MODEL,
        ecus: [{ ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } }],
      };
      const query = 'hardwareIds=hw-primary&releaseCounter=1';
      await t.call('POST', `/v1.0/update-scripts?${query}`, { body: text });
      expect(await update('scripts/hu only 001.json', `artifacts/${sha256}`)).toEqual([
        expect.stringMatching(/^scripts\/hu only 001\.json [0-9a-f]{64}$/),
        line(`artifacts/${sha256}`, 'radio'),
      ]);
      await upload('brakes 2', 'path=brakes/fw%201.bin&hardwareIds=hw-a&releaseCounter=2');
      expect(await update('brakes/fw 1.bin')).toEqual([line('brakes/fw 1.bin', 'brakes 2')]);
    } finally {
      await t.stop();
      await adapter.stop();
    }
  });
});
