/**
 * Order of test files. Vitest starts with the largest ones, or with those that took longest in an earlier run, of which a
 * fresh clone knows nothing. A small file that takes minutes would be alone at the end, with an idle core beside it.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By the time they take at full depth. */
const LONGEST = [
  'uptane/fuzz.test.ts',
  'vehicle/uptane-power-cuts.test.ts',
  'uptane/repository/fuzz.test.ts',
  'carota/guard/error-rates.test.ts',
  'end-to-end/mutual-tls.test.ts',
  'vehicle/power-cuts.test.ts',
  'carota/director-crash.test.ts',
  'end-to-end/hostile-messages.test.ts',
  'end-to-end/runaway-campaign.test.ts',
  'cli/quickstart.test.ts',
  'cli/terminal.test.ts',
  'service/audit/killed.test.ts',
  'vehicle/certificate-power-cuts.test.ts',
  'end-to-end/campaign.test.ts',
  'chaos/message-link.chaos.ts',
  'chaos/real-servers.chaos.ts',
  'chaos/fail-over.chaos.ts',
  'chaos/carota-faults.chaos.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const places = new Map(sorted.map((file) => [file, placeOf(file)]));
    return sorted.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((path) => moduleId.endsWith(`/test/${path}`));
  return place < 0 ? LONGEST.length : place;
}
