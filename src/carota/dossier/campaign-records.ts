/** The records of a dossier about the schedule as a whole. Pure. */
import { createHash } from 'node:crypto';
import { DOSSIER_FORMAT, type Figures, type RecordOf } from '../../contract/carota-api/index.js';
import { type DecisionRow, type WaveRow } from '../schedules/index.js';
import { scriptFile, storedScript } from '../scripts/index.js';
import { type CampaignRow, type TestRow } from './read-dossier.js';

/** Names of tokens, by id. */
export type Names = ReadonlyMap<string, string>;

const tokenOf = (id: string, names: Names) => ({ id, name: names.get(id) ?? '' });

const textOf = (time: Date | null) => time?.toISOString() ?? null;

export function campaignRecord(
  row: CampaignRow,
  names: Names,
  how: { readonly pseudonymous: boolean; readonly now: number },
): RecordOf<'campaign'> {
  return {
    type: 'campaign',
    format: DOSSIER_FORMAT,
    'ref-id': row.ref_id,
    'script-ref-id': row.script_ref_id,
    model: row.model,
    status: row.status,
    reason: row.reason,
    plan: JSON.stringify(row.plan),
    vehicles: row.vehicles,
    createdAt: row.created_at.toISOString(),
    createdBy: tokenOf(row.created_by, names),
    startedAt: textOf(row.started_at),
    endedAt: textOf(row.ended_at),
    pseudonymous: how.pseudonymous,
    writtenAt: new Date(how.now).toISOString(),
  };
}

/** SHA-256 of a text in UTF-8, with which a vehicle identifies the text that it has shown. */
export const textSha256 = (text: string): string =>
  createHash('sha256').update(text, 'utf8').digest('hex');

export function* scriptRecords(
  row: CampaignRow,
  names: Names,
): Generator<RecordOf<'script' | 'regulation'>> {
  const { script } = row;
  const { consent, record } = script;
  yield {
    type: 'script',
    'script-ref-id': row.script_ref_id,
    file: scriptFile(script).toString('utf8'),
    sha256: storedScript(script).sha256,
    purpose: record?.purpose ?? null,
    systems: record?.systems ?? [],
    isRecorded: record !== undefined,
    consent: consent
      ? {
          text: consent.text,
          textSha256: textSha256(consent.text),
          language: consent.language ?? null,
          textVersion: consent.textVersion ?? null,
        }
      : null,
    createdAt: row.script_created_at.toISOString(),
    createdBy: tokenOf(row.script_created_by, names),
  };
  for (const regulation of record?.regulations ?? []) yield { type: 'regulation', ...regulation };
}

/** In the order of their time. */
export function approvalRecords(row: CampaignRow, names: Names): RecordOf<'approval'>[] {
  const approvals = [
    {
      of: 'script' as const,
      at: row.script_approved_at,
      by: row.script_approved_by,
      digest: row.script_approved_sha256,
    },
    {
      of: 'schedule' as const,
      at: row.approved_at,
      by: row.approved_by,
      digest: row.approved_digest,
    },
  ];
  return approvals.flatMap(({ of, at, by, digest }) =>
    at === null || by === null || digest === null
      ? []
      : [{ type: 'approval' as const, of, at: at.toISOString(), by: tokenOf(by, names), digest }],
  );
}

export const waveRecord = (row: WaveRow): RecordOf<'wave'> => ({
  type: 'wave',
  number: row.number,
  state: row.state,
  vehicles: row.vehicles,
  rejected: row.rejected,
  finished: row.finished,
  exposed: row.exposed,
  undecided: row.undecided,
  succeeded: row.succeeded,
  failed: row.failed,
  silent: row.silent,
  withdrawn: row.withdrawn,
  failedEarly: row.failed_early,
  rollbackFailed: row.rollback_failed,
  postedAt: textOf(row.posted_at),
  passedAt: textOf(row.passed_at),
});

export const decisionRecord = (row: DecisionRow): RecordOf<'decision'> => ({
  type: 'decision',
  at: row.at.toISOString(),
  wave: row.wave,
  decision: row.decision,
  reason: row.reason,
  actor: row.actor,
  figures: row.figures && figuresOf(row.figures),
});

export const testRecord = (row: TestRow): RecordOf<'test'> => ({
  type: 'test',
  number: row.number,
  at: row.at.toISOString(),
  decision: row.decision,
  figures: figuresOf(row.figures),
});

/** The chain knows integers only. */
const figuresOf = ({ evidence, stopAt, goAt, ...counts }: Figures) => ({
  test: counts.test,
  from: counts.from,
  vehicles: counts.vehicles,
  succeeded: counts.succeeded,
  failed: counts.failed,
  evidence: String(evidence),
  stopAt: String(stopAt),
  goAt: String(goAt),
});
