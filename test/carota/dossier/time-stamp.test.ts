/** A dossier with a time stamp: OpenSSL verifies it, and without the authority there is no dossier. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyDossier } from '../../../src/carota/dossier/index.js';
import { DossierLine } from '../../../src/contract/carota-api/index.js';
import { checkOf } from '../../../src/contract/index.js';
import { temporaryDirectory } from '../../support/servers.js';
import { startAuthority, type TestAuthority } from '../../support/time-stamp-authority.js';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';
import { dossierOf, linesOf, path, runCampaign } from './campaign.js';

const REF_ID = 'schedule 0909';

let adapter: AdapterDouble;
let authority: TestAuthority;
let carota: TestCarota;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  authority = await startAuthority('P-256');
  carota = await startTestCarota(adapter.url, { timestampUrl: authority.url });
  await runCampaign(carota, REF_ID);
});
afterAll(async () => {
  await carota.stop();
  await authority.stop();
  await adapter.stop();
});

test('the time stamp covers the record before it and is part of the chain, and OpenSSL verifies it', async () => {
  const dossier = await dossierOf(carota, REF_ID);
  const lines = linesOf(dossier);
  expect(lines.slice(-3).map(({ type }) => type)).toEqual(['end', 'timestamp', 'seal']);
  expect(lines.flatMap((line) => [...checkOf(DossierLine).errors(line)])).toEqual([]);
  const { timeStamp } = await verifyDossier([dossier]);
  expect(timeStamp?.imprint).toBe(lines.at(-3).hash);
  const file = join(temporaryDirectory('dossier-tsr'), 'answer.tsr');
  writeFileSync(file, Buffer.from(timeStamp?.token ?? '', 'base64'));
  const verify = (digest: string) =>
    execFileSync(
      'openssl',
      ['ts', '-verify', '-digest', digest, '-in', file, '-CAfile', authority.caFile],
      { stdio: 'pipe' },
    ).toString();
  expect(verify(lines.at(-3).hash)).toContain('Verification: OK');
  expect(() => verify(lines.at(-2).hash)).toThrow();
});

test('if the authority fails, there is no dossier and no remains of one', async () => {
  authority.answer = () => ({ status: 503, body: Buffer.from('') });
  const answer = await carota.call('GET', `${path(REF_ID)}/dossier`);
  expect(answer).toMatchObject({ status: 503, body: { errorCode: 'TIMESTAMP_UNAVAILABLE' } });
  expect(answer.body.errorMessage).not.toContain('secret');
  const incoming = join(carota.dataDir, 'incoming');
  expect(existsSync(incoming) ? readdirSync(incoming) : []).toEqual([]);
});
