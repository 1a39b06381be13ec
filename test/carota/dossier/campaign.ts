/** A campaign with an example of everything that a dossier shows, and its dossier as received. */
import { expect } from 'vitest';
import { type EventStatusName } from '../../../src/contract/index.js';
import { eventually } from '../../support/adapter.js';
import { vinOf } from '../../support/messages.js';
import { eventOf, MODEL, type TestCarota } from '../support/test-carota.js';

export const CONSENT_TEXT = 'Größere Reichweite. Jetzt installieren? „Ja“ oder „Nein“';
/** Computed with openssl dgst -sha256. */
export const CONSENT_SHA256 = 'db1c1d1dd2254b32295478a9c8a101d777cf1318ca42a955b770f4053fed4e50';

export const VINS = Array.from({ length: 4 }, (_, n) => vinOf(n, 'WVW'));

export const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;

/** Publishes the script of the campaign. */
export async function publishRecorded(carota: TestCarota, scriptRefId: string): Promise<void> {
  const { sha256, md5, size } = await carota.upload(Buffer.from('software 1.1.0'));
  const { status, body } = await carota.call('POST', '/v1.0/update-scripts', {
    body: {
      version: 'v1',
      'script-ref-id': scriptRefId,
      model: MODEL,
      ecus: [{ ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } }],
      consent: { text: CONSENT_TEXT, language: 'de', textVersion: '7' },
      preconditions: { battery: 60.5, gear: 'park' },
      record: {
        purpose: 'More range.\nNo change of braking.',
        systems: ['battery management'],
        regulations: [
          {
            regulation: 'UN R100',
            rxswinBefore: 'R100 A 1',
            rxswinAfter: 'R100 A 2',
            software: [
              { ecu: 'HU', version: '1.1.0', sha256 },
              { ecu: 'BMS', version: '4', sha256: 'c'.repeat(64) },
            ],
          },
        ],
      },
    },
  });
  expect([status, body.errors]).toEqual([201, undefined]);
}

/** Runs the campaign: one vehicle succeeds, one is rolled back, one declines, one stays silent. */
export async function runCampaign(carota: TestCarota, refId: string): Promise<void> {
  const scriptRefId = `script of ${refId}`;
  await publishRecorded(carota, scriptRefId);
  const [a = '', b = '', c = '', d = ''] = VINS;
  for (const vin of VINS) {
    const body = { model: MODEL, versions: { HU: '1.0.0' } };
    await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body });
  }
  const test = { tolerated: 0.02, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 };
  const body = {
    'ref-id': refId,
    'script-ref-id': scriptRefId,
    model: MODEL,
    vins: VINS.slice(1),
    waves: [{ vins: [a] }, { percent: 99.5 }],
    guard: { test, soak: 0, exposureCap: 10 },
  };
  const planned = await carota.call('POST', '/v1.0/schedules', {
    body: { ...body, vins: VINS },
  });
  expect(planned.status).toBe(201);
  await until(carota, refId, ({ waves }) => waves[0]?.state === 'running');
  let at = Date.now() - 60_000;
  const report = (vin: string, ...events: (readonly [EventStatusName, object?])[]) =>
    carota.callBack(
      events.map(([status, meta = {}]) =>
        eventOf({
          refId,
          vin,
          status,
          at: (at += 1_000),
          meta: Object.entries(meta).map(([key, value]) => ({ key, value: String(value) })),
        }),
      ),
    );
  const shown = {
    'consent-text-sha256': CONSENT_SHA256,
    'consent-language': 'de',
    'consent-text-version': '7',
  };
  const found = { 'condition:battery': 61, 'condition:gear': 'park', 'conditions-at': 'now' };
  const begin = async (vin: string) => {
    await report(
      vin,
      ['received'],
      ['pki_check_success', { 'found-version:HU': '1.0.0' }],
      ['consent_accepted', shown],
    );
    const answer = await carota.call('POST', `${path(refId)}/vehicles/${vin}/admission`);
    expect(answer.body).toMatchObject({ admitted: true });
    await report(vin, ['downloaded', found], ['reboot', found]);
  };
  await begin(a);
  await report(a, ['success', { 'version:HU': '1.1.0' }]);
  await carota.call('POST', `${path(refId)}/continue`, { body: { reason: `${a} is fine` } });
  await until(carota, refId, ({ waves }) => waves[1]?.state === 'running');
  await begin(b);
  await report(b, ['failure', { reason: `HU of ${b}:\nno health in 60 s` }], ['rollback_success']);
  await report(c, ['received'], ['consent_rejected', { ...shown, reason: 'declined' }]);
  await begin(d);
}

const until = (carota: TestCarota, refId: string, holds: (schedule: any) => boolean) =>
  eventually(async () => (await carota.call('GET', path(refId))).body, holds);

/** The dossier's bytes. */
export async function dossierOf(carota: TestCarota, refId: string, query = ''): Promise<Buffer> {
  const url = `${carota.carota.httpUrl}${path(refId)}/dossier${query}`;
  const answer = await fetch(url, { headers: { 'authorization-token': carota.token } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect([answer.status, answer.status === 200 ? '' : bytes.toString()]).toEqual([200, '']);
  return bytes;
}

export const linesOf = (dossier: Buffer): any[] =>
  dossier
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
