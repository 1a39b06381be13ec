/** The table of states agrees with the contract, and everything else agrees with the table. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import {
  DELIVERIES,
  DELIVERY_ENDED,
  EVENT_STATUS,
  EVENT_STATUS_NAMES,
  EVENT_STATUSES,
  EXPOSING,
  EXPOSING_IF_CONSENTED,
  FAILED,
  FAILED_SO_FAR,
  FINAL,
  FINISHED,
  LIFECYCLE,
  lifecycleRank,
  NOT_NOTIFIED,
  reachedMask,
  reasonField,
  reasonOf,
  resultOf,
  RETRIED_STATES,
  TO_BE_SENT,
  UNSUCCESSFUL,
} from '../../src/contract/index.js';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const sorted = (states: Iterable<string>) => [...states].sort();

describe('the contract', () => {
  test('section 5.2: lifecycle ranks, lowest first, after 0 for an unknown status', () => {
    expect(LIFECYCLE).toEqual([
      ...['received', 'consent_accepted', 'consent_rejected', 'downloading', 'pause', 'resume'],
      ...['download_fail', 'downloaded', 'md5_check_fail', 'md5_check_success', 'pki_check_fail'],
      ...['pki_check_success', 'reboot', 'cancel', 'failure', 'rollback_fail', 'rollback_success'],
      'success',
    ]);
    const ranks = LIFECYCLE.map((name) => lifecycleRank(EVENT_STATUS[name]));
    expect(lifecycleRank(999)).toBe(0);
    expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b));
    expect(Math.min(...ranks)).toBeGreaterThan(1);
    // Fits a smallint column, with room between neighbours.
    expect(Math.max(...ranks)).toBeLessThan(2 ** 15);
    for (const [place, rank] of ranks.entries()) {
      expect(rank - (ranks[place - 1] ?? 0)).toBeGreaterThan(1);
    }
  });

  test('section 5.5: finished, and failed so far', () => {
    const failedSoFar = ['failure', 'download_fail', 'md5_check_fail', 'pki_check_fail'];
    expect(sorted(FAILED_SO_FAR)).toEqual(sorted(failedSoFar));
    expect(sorted(FINISHED)).toEqual(
      sorted([
        ...['success', 'cancel', 'consent_rejected', 'rollback_success', 'rollback_fail'],
        ...failedSoFar,
      ]),
    );
    expect(sorted(FAILED)).toEqual(sorted([...failedSoFar, 'rollback_success', 'rollback_fail']));
    expect([...UNSUCCESSFUL, 'success'].sort()).toEqual(sorted(FINISHED));
    expect(sorted([...FINAL, ...FAILED_SO_FAR])).toEqual(sorted(FINISHED));
    expect([...FINAL].filter((state) => FAILED_SO_FAR.has(state))).toEqual([]);
    expect(resultOf('consent_rejected')).toBe('withdrawn');
    expect(resultOf('unknown(7)')).toBeUndefined();
  });

  test('failures that a new attempt can help', () => {
    expect(RETRIED_STATES).toEqual([
      ...['download_fail', 'md5_check_fail', 'pki_check_fail', 'failure', 'rollback_success'],
    ]);
  });

  test('section 10.1: events that expose a vehicle, even one that never asked', () => {
    expect(sorted(EXPOSING)).toEqual(
      sorted([
        ...['downloading', 'download_fail', 'downloaded', 'md5_check_fail', 'md5_check_success'],
        ...['reboot', 'rollback_fail', 'rollback_success', 'success'],
      ]),
    );
    // A script that cannot be fetched or verified, or what is verified after the download.
    expect(sorted(EXPOSING_IF_CONSENTED)).toEqual([
      ...['failure', 'pki_check_fail', 'pki_check_success'],
    ]);
  });

  test('section 5.1: states of the trigger', () => {
    const delivery = (states: ReadonlySet<string>) =>
      Object.keys(DELIVERIES).filter((state) => states.has(state));
    expect(delivery(TO_BE_SENT)).toEqual(['pending', 'device_not_found']);
    expect(delivery(DELIVERY_ENDED)).toEqual(['expired', 'cancelled', 'undelivered']);
    expect(delivery(NOT_NOTIFIED)).toEqual(['pending', 'device_not_found', 'expired', 'cancelled']);
  });
});

describe('bits', () => {
  test('each status has one, and all fit an integer column', () => {
    const masks = EVENT_STATUS_NAMES.map((name) => reachedMask(EVENT_STATUSES[name].value));
    expect(new Set(masks).size).toBe(EVENT_STATUS_NAMES.length);
    // One bit each, excluding the sign bit.
    for (const mask of masks) expect(mask > 0 && (mask & (mask - 1)) === 0).toBe(true);
  });

  test('stored bits keep their meaning', () => {
    const bits = EVENT_STATUS_NAMES.map((name) => `${name} ${EVENT_STATUSES[name].bit}`);
    expect(bits).toEqual([
      ...['received 0', 'cancel 1', 'downloading 2', 'downloaded 3', 'reboot 4', 'success 5'],
      ...['failure 6', 'download_fail 7', 'md5_check_success 8', 'md5_check_fail 9'],
      ...['pki_check_success 10', 'pki_check_fail 11', 'rollback_success 12', 'rollback_fail 13'],
      ...['pause 14', 'resume 15', 'consent_accepted 16', 'consent_rejected 17'],
    ]);
    expect(reachedMask(99)).toBe(0);
  });
});

test('a reason is found under each accepted key, the most specific first; ours is the most specific', () => {
  expect(reasonOf([reasonField('no space')])).toBe('no space');
  const entries = (...pairs: [string, string][]) => pairs.map(([key, value]) => ({ key, value }));
  expect(reasonOf(entries(['error_code', '17'], ['Error', 'broken'], ['reason', '']))).toBe(
    'broken',
  );
  expect(reasonOf(entries(['download', '40%']))).toBeNull();
});

describe('the documents agree', () => {
  test('src/contract/SPEC.md', async () => {
    const rows = [
      ...(await read('src/contract/SPEC.md')).matchAll(
        /^\| +(\d+) +\| +`(\w+)` +\| +(\d+) +\| +([a-z ]*?) +\|$/gm,
      ),
    ];
    expect(
      rows.map(([, value, name, rank, result]) => [Number(value), name, Number(rank), result]),
    ).toEqual(
      EVENT_STATUS_NAMES.map((name) => [
        EVENT_STATUS[name],
        name,
        EVENT_STATUSES[name].rank,
        (resultOf(name) ?? '').replaceAll('-', ' '),
      ]),
    );
  });

  test.each(['deploy/prometheus/alerts.yaml', 'docs/failures/OtaopsUpdatesFailing.md'])(
    'the share of failed updates in %s',
    async (path) => {
      const [failed, finished] = [
        ...(await read(path)).matchAll(/otaops_vehicles\{state=~"([^"]*)"/g),
      ].map(([, states = '']) => states.split('|').sort());
      expect(failed).toEqual(sorted(FAILED));
      expect(finished).toEqual(sorted([...FAILED, 'success']));
    },
  );

  test('docs/campaigns.md', async () => {
    const document = await read('docs/campaigns.md');
    const [, failed = ''] = /^\| failed\s+\| ([^|]*?)\s*\|$/m.exec(document) ?? [];
    expect(failed.split(/,\s+|\s+or\s+/).sort()).toEqual(sorted(FAILED));
  });
});
