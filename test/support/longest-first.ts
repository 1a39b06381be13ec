/**
 * Order of test files. Vitest starts with the largest ones, or with those that took longest in an earlier run, which a
 * fresh clone does not know. A small file that takes minutes would run alone at the end, beside idle cores.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest at full depth, or wait longest in a quick run. */
const LONGEST = [
  'vehicle/power-cuts.test.ts',
  'end-to-end/runaway-campaign.test.ts',
  'uptane/fuzz.test.ts',
  'carota/director-crash.test.ts',
  'vehicle/uptane-power-cuts.test.ts',
  'end-to-end/mutual-tls.test.ts',
  'uptane/repository/fuzz.test.ts',
  'adapter/message-link/session.test.ts',
  'console/fleet-and-faults.test.ts',
  'vehicle/uptane-attacks.test.ts',
  'console/planning.test.ts',
  'vehicle/ivi-screen.test.ts',
  'carota/guard/error-rates.test.ts',
  'adapter/scopes/scopes.test.ts',
  'adapter/message-budget.test.ts',
  'cli/terminal.test.ts',
  'cli/quickstart.test.ts',
  'carota/guard/retries.test.ts',
  'adapter/call-back/call-back.test.ts',
  'carota/scopes/scopes.test.ts',
  'console/trust.test.ts',
  'console/operations.test.ts',
  'vehicle/own-certificate.test.ts',
  'service/audit/otlp.test.ts',
  'carota/approval.test.ts',
  'end-to-end/campaign.test.ts',
  'vehicle/certificate-power-cuts.test.ts',
  'vehicle/secondary.test.ts',
  'end-to-end/hostile-messages.test.ts',
  'service/http/request-limits.test.ts',
  'service/audit/syslog-tls.test.ts',
  'service/tls/https.test.ts',
  'service/audit/killed.test.ts',
  'chaos/message-link.chaos.ts',
  'chaos/real-servers.chaos.ts',
  'chaos/power-cut.chaos.ts',
  'chaos/carota-faults.chaos.ts',
  'chaos/call-back.chaos.ts',
  'chaos/fail-over.chaos.ts',
  'chaos/rabbitmq.chaos.ts',
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
