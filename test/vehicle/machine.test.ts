/** The state machine's table is complete, and docs/vehicle.md shows it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FINISHED } from '../../src/contract/index.js';
import { MACHINE, outcomeOf, PHASES } from '../../src/vehicle/index.js';
import { machineDiagram } from '../../src/vehicle/update/diagram.js';

test('docs/vehicle.md has the diagram generated from the table', () => {
  const document = readFileSync(new URL('../../docs/vehicle.md', import.meta.url), 'utf8');
  const [, shown] = /```mermaid\n([\s\S]*?)\n```/.exec(document) ?? [];
  expect(shown).toBe(machineDiagram());
});

test('every phase is reachable, and every path ends in a finished state of the contract', () => {
  const reached = new Set<string>();
  const follow = (phase: string) => {
    if (reached.has(phase) || phase === 'ended') return;
    reached.add(phase);
    for (const { next } of Object.values(MACHINE[phase as keyof typeof MACHINE].outcomes))
      follow(next);
  };
  follow('fetching');
  expect([...reached].sort()).toEqual([...PHASES].sort());
  for (const phase of PHASES) {
    for (const [name, { reports, next }] of Object.entries(MACHINE[phase].outcomes)) {
      // This outcome repeats the result of an earlier update.
      if (name === 'ended before') expect(reports).toEqual([]);
      else if (next === 'ended') expect(FINISHED).toContain(reports.at(-1));
    }
  }
});

test('an unexpected error has an outcome in every phase, and only phases before slots are written can be cancelled', () => {
  for (const phase of PHASES) {
    const { otherwise, revocable, outcomes } = MACHINE[phase];
    expect(() => outcomeOf(phase, otherwise)).not.toThrow();
    expect('cancelled' in outcomes).toBe(revocable);
  }
  expect(() => outcomeOf('checking', 'cancelled')).toThrow(/cannot come out/);
});
