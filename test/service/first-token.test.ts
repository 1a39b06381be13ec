/**
 * The initial admin token: wherever the first start is killed, the next one leaves one token, which its file contains.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { findToken } from '../../src/service/access/index.js';
import { openStorage } from '../../src/service/storage.js';
import { newDatabase } from '../support/databases.js';
import { sampleOf } from '../support/depth.js';
import { temporaryDirectory } from '../support/servers.js';

const MORTAL = fileURLToPath(new URL('./mortal-storage.mjs', import.meta.url));
const directory = temporaryDirectory('first-token');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(sampleOf(['before the file', 'before the commit', 'after the commit'], 3))(
  'after a process is killed %s, the next start leaves one initial admin token',
  async (moment) => {
    const { url, drop } = await newDatabase(ADAPTER_SCHEMA);
    const dataDir = join(directory, moment);
    const child = spawn(process.execPath, [MORTAL, url, dataDir, moment], { stdio: 'inherit' });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(existsSync(join(dataDir, 'token'))).toBe(moment !== 'before the file');

    const storage = await openStorage({ dataDir, databaseUrl: url }, ADAPTER_SCHEMA);
    expect(storage.firstToken === undefined).toBe(moment === 'after the commit');
    const secret = readFileSync(storage.tokenFile, 'utf8').trim();
    expect(await findToken(storage.database, secret, Date.now())).toMatchObject({ role: 'admin' });
    expect(statSync(storage.tokenFile).mode & 0o777).toBe(0o600);
    await storage.close();
    await drop();
  },
);
