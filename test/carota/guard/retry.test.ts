/** Which failures are retried, when, and how the guard counts them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterDeadline,
  afterReport,
  exposedAt,
  isOfEarlierAttempt,
  matchesPattern,
  retryAt,
} from '../../../src/carota/guard/index.js';
import { recount, COUNTERS, type Counters } from '../../../src/carota/schedules/wave-counts.js';
import { type RetryRule } from '../../../src/contract/carota-api/index.js';
import { cases } from '../../support/depth.js';

const RULES: readonly RetryRule[] = [
  { state: 'download_fail', reason: '*network*', after: 60, times: 3 },
  { state: 'download_fail', after: 600, times: 1 },
  { state: 'failure', after: 30, times: 1 },
];
const NOW = 1_000_000;
const at = (state: string, reason: string | null, tries: number, before?: number) => {
  const due = retryAt(RULES, { state, reason, tries }, before, NOW);
  return due === undefined ? undefined : (due - NOW) / 1000;
};

describe('a failure', () => {
  test.each([
    ['matches a reason, whatever its case', at('download_fail', 'Network Failure', 0), 60],
    ['may be tried as often as the rule says', at('download_fail', 'network', 2), 60],
    ['and no more', at('download_fail', 'network', 3), undefined],
    ['for other reasons the next rule counts', at('download_fail', 'disk full', 0), 600],
    ['so it does without a reason', at('download_fail', null, 0), 600],
    ['all retries count, whatever their rule', at('download_fail', 'disk full', 1), undefined],
    ['without a rule is final', at('md5_check_fail', 'network', 0), undefined],
    ['rolled back stays due as it was', at('rollback_success', null, 0, NOW + 7_000), 7],
    [
      'that could not be rolled back is final',
      at('rollback_fail', null, 0, NOW + 7_000),
      undefined,
    ],
  ])('%s', (_what, found, expected) => {
    expect(found).toBe(expected);
  });
});

test.each([
  ['rollback_success', 'waiting', 1, true],
  ['rollback_success', 'received', 1, true],
  ['rollback_success', 'consent_accepted', 1, true],
  ['rollback_success', 'waiting', 0, false],
  ['rollback_success', 'failure', 1, false],
  ['rollback_success', 'reboot', 1, false],
  ['rollback_fail', 'waiting', 1, false],
  ['success', 'waiting', 1, false],
])(
  '%s in state %s after %i retries ends the failure before them: %s',
  (report, state, tries, is) => {
    expect(isOfEarlierAttempt(report, { state, tries })).toBe(is);
  },
);

describe('an exposed vehicle that is retried', () => {
  const deadlines = { afterReboot: 60, deadline: 1_000, soak: 0 };
  const fail = (retry: number | undefined) =>
    afterReport(
      exposedAt(deadlines, 0),
      { before: 'downloading', state: 'download_fail', retryAt: retry },
      deadlines,
      5_000,
    );

  test('is undecided until its deadline', () => {
    expect(fail(60_000)).toMatchObject({ result: 'undecided', decidesAt: 1_000_000 });
  });
  test('has failed if the retry is not before its deadline, or the deadline passes', () => {
    expect(fail(1_000_000).result).toBe('failed');
    expect(fail(undefined).result).toBe('failed');
    expect(afterDeadline(fail(60_000), 'download_fail').result).toBe('failed');
    // The next attempt started, but nothing was reported.
    expect(afterDeadline(fail(60_000), 'waiting').result).toBe('silent');
  });
  test('counts once, by its last result', () => {
    const exposure = afterReport(
      fail(60_000),
      { before: 'waiting', state: 'success' },
      deadlines,
      90_000,
    );
    expect(exposure.result).toBe('succeeded');
  });
  test('has failed for good if it was silent at its deadline', () => {
    const silent = afterDeadline(exposedAt(deadlines, 0), 'downloading');
    const report = { before: 'downloading', state: 'download_fail', retryAt: 1_060_000 };
    expect(afterReport(silent, report, deadlines, 1_001_000).result).toBe('failed');
  });
});

test('a vehicle that failed early and will be retried counts neither as failed nor as finished', () => {
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;
  const waiting = { state: 'waiting', result: undefined };
  const failed = { state: 'pki_check_fail', result: undefined };
  recount(counters, waiting, { ...failed, isRetried: true });
  expect(counters).toMatchObject({ failed_early: 0, finished: 0 });
  recount(counters, { ...failed, isRetried: true }, failed);
  expect(counters).toMatchObject({ failed_early: 1, finished: 1 });
});

describe('a pattern', () => {
  test('has only the wildcards * and ?', () => {
    expect(matchesPattern('HU: * of ?', 'hu: 12 of 3')).toBe(true);
    expect(matchesPattern('HU: * of ?', 'hu: 12 of 34')).toBe(false);
    expect(matchesPattern('a.c', 'abc')).toBe(false);
    expect(matchesPattern('*', '')).toBe(true);
    expect(matchesPattern('?', '😀')).toBe(true);
  });

  test('matches like the equivalent regular expression', () => {
    const letters = (all: string) => fc.string({ unit: fc.constantFrom(...all), maxLength: 12 });
    fc.assert(
      fc.property(letters('ab*?'), letters('ab'), (pattern, text) => {
        const source = pattern.replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesPattern(pattern, text)).toBe(new RegExp(`^${source}$`, 's').test(text));
      }),
      cases({ quick: 800, full: 50_000 }),
    );
  });

  test('is matched at once even where a regular expression would take forever', () => {
    // 180 characters against 5,000: backtracking would have more paths than there are atoms.
    expect(matchesPattern(`${'*a'.repeat(90)}*b`, 'a'.repeat(5_000))).toBe(false);
  });
});
