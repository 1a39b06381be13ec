/**
 * Lines of the audit log as an export request of OTLP (opentelemetry-proto 1, `ExportLogsServiceRequest`) in its JSON form: names
 * in lowerCamelCase, 64-bit integers as decimal text, enumerations as integers. Pure.
 */
import { type CopiedLine, type CopySender } from './copied-line.js';

/** `SeverityNumber` and its text: INFO for completed actions, WARN for others. */
const SEVERITY = {
  done: { severityNumber: 9, severityText: 'INFO' },
  refused: { severityNumber: 13, severityText: 'WARN' },
  failed: { severityNumber: 13, severityText: 'WARN' },
} as const;

/** @param observedAt when it is sent, ms */
export const otlpRequest = (
  lines: readonly CopiedLine[],
  { log, hostname, pid, version }: CopySender,
  observedAt: number,
) => ({
  resourceLogs: [
    {
      resource: {
        attributes: attributesOf({
          'service.name': `otaops-${log}`,
          'service.version': version,
          'host.name': hostname,
          'process.pid': pid,
        }),
      },
      scopeLogs: [
        {
          scope: { name: 'otaops.audit', version },
          logRecords: lines.map(({ at, outcome, kind, text, facts }) => ({
            timeUnixNano: nanoseconds(at),
            observedTimeUnixNano: nanoseconds(observedAt),
            ...SEVERITY[outcome],
            eventName: `otaops.audit.${kind}`,
            body: { stringValue: text },
            attributes: attributesOf(
              Object.fromEntries(
                Object.entries({ ...facts, outcome }).map(([name, value]) => [
                  `otaops.audit.${name}`,
                  value,
                ]),
              ),
            ),
          })),
        },
      ],
    },
  ],
});

const nanoseconds = (ms: number): string => `${BigInt(Math.trunc(ms)) * 1_000_000n}`;

const attributesOf = (facts: Readonly<Record<string, string | number | null>>) =>
  Object.entries(facts).flatMap(([key, value]) => {
    if (value === null || value === '') return [];
    return [
      { key, value: typeof value === 'number' ? { intValue: `${value}` } : { stringValue: value } },
    ];
  });

/**
 * The receiver's message about rejected records; undefined: it accepted all.
 *
 * @param answer body of a 200, `ExportLogsServiceResponse`
 */
export function refusedRecords(answer: string): string | undefined {
  const body = parsed(answer) as
    { partialSuccess?: { rejectedLogRecords?: unknown; errorMessage?: unknown } } | undefined;
  // A 64-bit integer: text, though some receivers write a number.
  const rejected = Number(body?.partialSuccess?.rejectedLogRecords ?? 0);
  if (!(rejected > 0)) return undefined;
  const reason = body?.partialSuccess?.errorMessage;
  return `${rejected} refused: ${typeof reason === 'string' ? reason : 'no reason given'}`;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Some receivers answer with nothing, or in words.
    return undefined;
  }
}
