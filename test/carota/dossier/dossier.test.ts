/** The dossier of a campaign states what is stored, and no byte of it can be changed unnoticed. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DossierLine } from '../../../src/contract/carota-api/index.js';
import { checkOf } from '../../../src/contract/index.js';
import { verifyDossier } from '../../../src/carota/dossier/index.js';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';
import {
  CONSENT_SHA256,
  CONSENT_TEXT,
  dossierOf,
  linesOf,
  path,
  runCampaign,
  VINS,
} from './campaign.js';

const REF_ID = 'schedule 0909';

let adapter: AdapterDouble;
let carota: TestCarota;
let dossier: Buffer;
let lines: any[];

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
  await runCampaign(carota, REF_ID);
  dossier = await dossierOf(carota, REF_ID);
  lines = linesOf(dossier);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

const ofType = (type: string) => lines.filter((line) => line.type === type);

describe('a dossier', () => {
  test('has only lines that its schema describes, and at least one of each type', () => {
    const check = checkOf(DossierLine);
    const faults = lines.flatMap((line) => check.errors(line).map(({ path: at }) => [line, at]));
    expect(faults).toEqual([]);
    expect(new Set(lines.map(({ type }) => type))).toEqual(
      new Set([
        'campaign',
        'script',
        'regulation',
        'wave',
        'decision',
        'audit',
        'vehicle',
        'step',
        'failure',
        'end',
        'seal',
      ]),
    );
  });

  test('states what the update is, for which regulations, and the text shown to users', () => {
    const [script] = ofType('script');
    expect(createHash('sha256').update(script.file).digest('hex')).toBe(script.sha256);
    expect(script).toMatchObject({
      purpose: 'More range.\nNo change of braking.',
      systems: ['battery management'],
      isRecorded: true,
      consent: { text: CONSENT_TEXT, textSha256: CONSENT_SHA256, language: 'de', textVersion: '7' },
    });
    expect(ofType('regulation')).toMatchObject([
      { regulation: 'UN R100', rxswinBefore: 'R100 A 1', rxswinAfter: 'R100 A 2' },
    ]);
    expect(ofType('regulation')[0].software).toHaveLength(2);
  });

  test('states for each vehicle its software, findings, answers, steps and result', () => {
    const vehicles = ofType('vehicle');
    expect(vehicles.map(({ vin }) => vin)).toEqual(VINS);
    expect(vehicles.map(({ state }) => state)).toEqual([
      'success',
      'rollback_success',
      'consent_rejected',
      'reboot',
    ]);
    expect(vehicles[0]).toMatchObject({
      wave: 1,
      result: 'succeeded',
      // As before the update, which has since changed what is known of the vehicle.
      configuration: { versions: { HU: '1.0.0' }, manifest: null, ecus: [] },
      foundVersions: { HU: '1.0.0' },
      conditions: [
        { before: 'download', values: { battery: '61', gear: 'park' } },
        { before: 'installation', at: 'now' },
      ],
      consents: [
        { accepted: true, textSha256: CONSENT_SHA256, language: 'de', isTextOfScript: true },
      ],
    });
    expect(vehicles[2]).toMatchObject({ configuration: null, consents: [{ accepted: false }] });
    expect(vehicles[3]).toMatchObject({ result: 'undecided' });
    const steps = ofType('step').filter(({ vin }) => vin === VINS[1]);
    expect(steps.map((record) => record['status-name'])).toEqual([
      'received',
      'pki_check_success',
      'consent_accepted',
      'downloaded',
      'reboot',
      'failure',
      'rollback_success',
    ]);
    expect(ofType('failure').map((record) => [record.vin, record['status-name']])).toEqual([
      [VINS[1], 'failure'],
      [VINS[1], 'rollback_success'],
    ]);
    expect(ofType('failure')[0].followed).toMatchObject([{ 'status-name': 'rollback_success' }]);
  });

  test('agrees with the server’s answers, and counts its records', async () => {
    const { body } = await carota.call('GET', path(REF_ID));
    const waves = ofType('wave').map(({ type: _, hash: __, ...wave }) => wave);
    expect(waves).toEqual(body.waves);
    const decisions = ofType('decision');
    expect(decisions.map(({ at, decision, reason }) => ({ at, decision, reason }))).toEqual(
      body.decisions.map(({ at, decision, reason }: any) => ({ at, decision, reason })),
    );
    const [{ counts }] = ofType('end');
    expect(counts).toMatchObject({ vehicle: VINS.length, step: ofType('step').length });
    expect(JSON.parse(ofType('campaign')[0].plan).waves[1]).toEqual({ percent: 99.5 });
  });

  test('has the audit log’s entries about the campaign, with their position in the log', async () => {
    const { body } = await carota.call('GET', `/v1.0/audit?subject=${encodeURIComponent(REF_ID)}`);
    const logged = new Map(body.items.map((entry: any) => [entry.id, entry]));
    const entries = ofType('audit');
    expect(entries.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['plan-schedule', 'continue-schedule']),
    );
    for (const { id, action, outcome, position, chainHash } of entries) {
      const entry: any = logged.get(id);
      if (!entry) continue;
      expect({ action, outcome }).toEqual({ action: entry.action, outcome: entry.outcome });
      if (position !== null) expect([position, chainHash]).toEqual([entry.position, entry.hash]);
    }
    expect(entries.filter(({ id }) => logged.has(id)).length).toBeGreaterThan(1);
  });

  test('is intact as received', async () => {
    expect(await verifyDossier([dossier])).toMatchObject({
      refId: REF_ID,
      pseudonymous: false,
      count: lines.length - 1,
      head: lines.at(-1).seal.hash,
      timeStamp: undefined,
    });
  });

  test('of an unknown schedule is refused, and so are invalid parameters', async () => {
    const missing = await carota.call('GET', `${path('none')}/dossier`);
    expect(missing).toMatchObject({ status: 404, body: { errorCode: 'SCHEDULE_NOT_FOUND' } });
    for (const query of ['format=docx', 'pseudonymous=1', 'format=pdf&format=pdf', 'x=1']) {
      const answer = await carota.call('GET', `${path(REF_ID)}/dossier?${query}`);
      expect([query, answer.status]).toEqual([query, 400]);
    }
  });
});
