/** A supplier with python-tuf and none of our code delivers to a CarOTA Server; python-tuf's client finds the image. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyIdOfListed, type ListedKey } from '../../../src/uptane/signing/signer.js';
import { ifInstalled, temporaryDirectory } from '../../support/servers.js';
import { tufPython } from '../../uptane/foreign/python.js';
import { must } from '../../uptane/support/must.js';
import { startSupplierServer, type SupplierServer } from '../support/supplier-server.js';

const python = await ifInstalled(tufPython);
const run = async (script: string, ...args: string[]) => {
  const file = fileURLToPath(new URL(script, import.meta.url));
  return (await promisify(execFile)(must(python), [file, ...args])).stdout.trim().split('\n');
};

describe.runIf(python)('a supplier with python-tuf', () => {
  const folder = temporaryDirectory('python-supplier');
  const key = join(folder, 'key.pem');
  let server: SupplierServer;
  beforeAll(async () => {
    const listed = JSON.parse(must((await run('supplier.py', 'key', key))[0])) as ListedKey;
    const delegation = {
      roles: [{ name: 'python', keyIds: [keyIdOfListed(listed)], threshold: 1 }],
      minRolesInAgreement: undefined,
      paths: ['python/*'],
      isTerminating: false,
      hardwareIds: ['hw-a'],
    };
    server = await startSupplierServer([delegation], [listed], async ({ folder }) => {
      await run('supplier.py', 'sign', key, join(folder, 'proposal/metadata/python.json'));
    });
  });
  afterAll(async () => server.stop());

  const deliver = (hardware: string, path: string, content: string) =>
    run(
      ...(['supplier.py', 'deliver', server.carota.carota.httpUrl, server.token] as const),
      ...['python', key, hardware, path, content],
    );

  test('delivers an image and its next version, which python-tuf’s client verifies', async () => {
    for (const content of ['first', 'second']) {
      expect(await deliver('hw-a', 'python/fw.bin', content)).toEqual(['incomplete', 'published']);
      const found = await run(
        '../../uptane/foreign/update.py',
        `${server.carota.carota.httpUrl}/uptane/image`,
        temporaryDirectory('python-client'),
        join(server.ceremony.folder, 'metadata', '1.root.json'),
        'python/fw.bin',
      );
      const sha256 = createHash('sha256').update(content).digest('hex');
      expect(found).toEqual([`python/fw.bin ${sha256}`]);
    }
  });

  test('learns why its delivery is refused', async () => {
    await expect(deliver('hw-b', 'python/other.bin', 'x')).rejects.toThrow(
      /no delegation to python/,
    );
    await expect(deliver('hw-a', 'brakes/fw.bin', 'x')).rejects.toThrow(/no delegation to python/);
  });
});
