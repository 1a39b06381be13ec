/**
 * The dossier of a schedule, for regulators (UN R156, 7.1.2; ISO 24089). JSON Lines: each line is one of these records,
 * hash-chained, and the last one is the seal. docs/record.md describes it.
 */
import Type from '../typebox.js';
import { AUDIT_OUTCOMES, AuditSeal } from '../common-api/audit-entry.js';
import {
  ErrorCodeName,
  Nullable,
  RefIdParams,
  routesOf,
  stream,
  Time,
  TimeOf,
} from '../http/index.js';
import { MetaField } from '../mqtt/meta.js';
import { EventStatus } from '../mqtt/ota-event.js';
import { ReportedStatusName, ScheduleVehicleStateName } from '../states/index.js';
import { Sha256, UpdateRecord } from '../update-script/index.js';
import { Pattern } from '../values/pattern.js';
import { EcuImage } from './ecus.js';
import { ExposureResult, Figures } from './guard.js';
import { DecisionName, ScheduleStatus, WaveState } from './schedules.js';

/** Version of the format, in the first record. */
export const DOSSIER_FORMAT = 'otaops-dossier-1';
/** Media type of a dossier as JSON Lines. */
export const DOSSIER_TYPE = 'application/jsonl';
/** Media type of a dossier as PDF. */
export const PDF_TYPE = 'application/pdf';

const Hash = {
  hash: Type.String({
    pattern: '^[0-9a-f]{64}$',
    description:
      'SHA-256 over the hash of the previous line (64 zeros for the first), a line feed, and this record without `hash` in canonical JSON (OLPC).',
  }),
};

const record = <const Name extends string, Members extends Record<string, Type.TSchema>>(
  type: Name,
  members: Members,
  description: string,
) =>
  Type.Object(
    { type: Type.Literal(type), ...members, ...Hash },
    {
      additionalProperties: false,
      title: `Dossier${type[0]?.toUpperCase()}${type.slice(1)}`,
      description,
    },
  );

/** A chain has no other numbers than integers. */
const Decimal = (description: string) =>
  Pattern('^-?[0-9]+(\\.[0-9]+)?(e[+-]?[0-9]+)?$', 'must be a decimal number', { description });

const Who = Type.Object(
  {
    id: Type.String({ description: 'Id of the token; empty: the server or the vehicle itself.' }),
    name: Type.String({ description: 'Name of the token; empty: no longer known.' }),
  },
  { additionalProperties: false, title: 'DossierWho' },
);

const DossierFigures = Type.Object(
  {
    test: Figures.properties.test,
    from: Figures.properties.from,
    vehicles: Figures.properties.vehicles,
    succeeded: Figures.properties.succeeded,
    failed: Figures.properties.failed,
    evidence: Decimal('Log-likelihood ratio of the intolerable rate to the tolerated one.'),
    stopAt: Decimal('The test stops when the evidence reaches this bound.'),
    goAt: Decimal('The test decides "go" when the evidence falls to this bound.'),
  },
  { additionalProperties: false, title: 'DossierFigures' },
);

const Count = Type.Integer({ minimum: 0 });
const VehicleName = Type.String({
  description: 'The VIN, or in a pseudonymous dossier `vin-` and 32 hexadecimal digits.',
});

const CampaignRecord = record(
  'campaign',
  {
    format: Type.Literal(DOSSIER_FORMAT),
    'ref-id': Type.String(),
    'script-ref-id': Type.String(),
    model: Type.String(),
    status: ScheduleStatus,
    reason: Type.String(),
    plan: Type.String({ description: 'The SchedulePlan, as JSON text.' }),
    vehicles: Count,
    createdAt: Time,
    createdBy: Who,
    startedAt: Nullable(Time),
    endedAt: Nullable(Time),
    pseudonymous: Type.Boolean(),
    writtenAt: TimeOf('When the dossier was written; it shows the data stored at that time.'),
  },
  'The first record: the plan and its current status.',
);

const ScriptRecord = record(
  'script',
  {
    'script-ref-id': Type.String(),
    file: Type.String({ description: 'The UpdateScript as vehicles fetch it, JSON text.' }),
    sha256: Type.String({ description: 'SHA-256 of the UTF-8 of `file`.' }),
    purpose: Nullable(UpdateRecord.properties.purpose),
    systems: Type.Array(Type.String(), { description: 'Affected systems; empty: none specified.' }),
    isRecorded: Type.Boolean({
      description: 'Whether the script states which regulations it affects.',
    }),
    consent: Nullable(
      Type.Object(
        {
          text: Type.String(),
          textSha256: Sha256,
          language: Nullable(Type.String()),
          textVersion: Nullable(Type.String()),
        },
        { additionalProperties: false, title: 'DossierConsentText' },
      ),
      'The information given to the user; null: users are not asked.',
    ),
    createdAt: Time,
    createdBy: Who,
  },
  'The update: installed software, previous versions and conditions.',
);

const RegulationRecord = record(
  'regulation',
  UpdateRecord.properties.regulations.items.properties,
  'A type approval that the update affects.',
);

const ApprovalRecord = record(
  'approval',
  {
    of: Type.Enum(['script', 'schedule']),
    at: Time,
    by: Who,
    digest: Type.String({
      description:
        'For a script, its SHA-256; for a schedule, the SHA-256 of plan, script and vehicles.',
    }),
  },
  'An approval.',
);

const WaveRecord = record(
  'wave',
  {
    number: Type.Integer({ minimum: 1 }),
    state: WaveState,
    vehicles: Count,
    rejected: Count,
    finished: Count,
    exposed: Count,
    undecided: Count,
    succeeded: Count,
    failed: Count,
    silent: Count,
    withdrawn: Count,
    failedEarly: Count,
    rollbackFailed: Count,
    postedAt: Nullable(Time),
    passedAt: Nullable(Time),
  },
  'A wave and its counts.',
);

const DecisionRecord = record(
  'decision',
  {
    at: Time,
    wave: Nullable(Type.Integer()),
    decision: DecisionName,
    reason: Type.String(),
    actor: Type.String({ description: 'guard, scheduler, or the name of a token.' }),
    figures: Nullable(DossierFigures),
  },
  'A decision of the guard, the scheduler or a person, with the figures on which it was based.',
);

const TestRecord = record(
  'test',
  {
    number: Type.Integer({ minimum: 1 }),
    at: Time,
    decision: Type.Enum(['stop', 'go']),
    figures: DossierFigures,
  },
  'A test of the guard that has decided.',
);

const Configuration = Type.Object(
  {
    at: TimeOf('When the vehicle was exposed.'),
    versions: Type.Record(Type.String(), Type.String(), {
      description: 'Installed version by ECU, as previously imported or reported.',
    }),
    manifestAt: Nullable(Time, 'When its last vehicle version manifest was accepted.'),
    manifest: Nullable(
      Type.String({ contentEncoding: 'base64' }),
      'The manifest as received, with its signatures; always null in a pseudonymous dossier.',
    ),
    manifestSha256: Nullable(Sha256),
    ecus: Type.Array(
      Type.Object(
        {
          serial: Type.String({
            description: 'In a pseudonymous dossier, `ecu-` and 32 hexadecimal digits.',
          }),
          hardwareId: Type.String(),
          image: Nullable(
            Type.Object(EcuImage.properties, {
              additionalProperties: false,
              title: 'DossierImage',
            }),
            'The running image; null: none from a repository.',
          ),
        },
        { additionalProperties: false, title: 'DossierEcu' },
      ),
      { description: 'The ECUs’ reports in the manifest.' },
    ),
  },
  { additionalProperties: false, title: 'DossierConfiguration' },
);

const FoundConditions = Type.Object(
  {
    before: Type.Enum(['download', 'installation', 'nothing'], {
      description: 'nothing: the conditions were not met.',
    }),
    at: Nullable(Type.String({ description: 'When the vehicle checked them, by its own clock.' })),
    values: Type.Record(Type.String(), Type.String()),
  },
  { additionalProperties: false, title: 'DossierConditions' },
);

const ConsentAnswer = Type.Object(
  {
    accepted: Type.Boolean(),
    at: Time,
    textSha256: Nullable(Type.String({ description: 'As reported by the vehicle.' })),
    language: Nullable(Type.String()),
    textVersion: Nullable(Type.String()),
    isTextOfScript: Nullable(
      Type.Boolean({
        description: 'Whether the text matches the script; null: not reported.',
      }),
    ),
  },
  { additionalProperties: false, title: 'DossierConsent' },
);

const VehicleRecord = record(
  'vehicle',
  {
    vin: VehicleName,
    wave: Type.Integer({ description: '0: the schedule has not started.' }),
    state: ScheduleVehicleStateName,
    reason: Nullable(Type.String()),
    place: Nullable(Type.Integer({ description: 'In the order of exposure.' })),
    exposedAt: Nullable(Time),
    result: Nullable(ExposureResult),
    silentAt: Nullable(Time),
    configuration: Nullable(
      Configuration,
      'Last known configuration at exposure; null: not exposed.',
    ),
    foundVersions: Type.Record(Type.String(), Type.String(), {
      description: 'Running version of each ECU in the script, as determined by the vehicle.',
    }),
    conditions: Type.Array(FoundConditions),
    consents: Type.Array(ConsentAnswer),
  },
  'A target vehicle. Its steps and failures follow.',
);

const StepRecord = record(
  'step',
  {
    vin: VehicleName,
    'event-id': Type.String(),
    at: TimeOf('By the vehicle’s clock.'),
    'received-at': Time,
    status: EventStatus,
    'status-name': ReportedStatusName,
    meta: Type.Array(MetaField),
  },
  'An event of a vehicle, in the order of its time.',
);

const FailureRecord = record(
  'failure',
  {
    vin: VehicleName,
    'event-id': Type.String(),
    at: Time,
    'status-name': ReportedStatusName,
    reason: Nullable(Type.String()),
    followed: Type.Array(
      Type.Object(
        { at: Time, 'status-name': ReportedStatusName },
        { additionalProperties: false, title: 'DossierFollowed' },
      ),
      {
        description:
          'Statuses that the vehicle reported afterwards, up to its next failure; empty: none.',
      },
    ),
  },
  'A failure and the reports that followed it.',
);

const AuditRecord = record(
  'audit',
  {
    id: Type.Integer(),
    at: Time,
    by: Who,
    address: Type.String({
      description: 'Address of the caller; empty in a pseudonymous dossier.',
    }),
    action: Type.String(),
    outcome: Type.Enum([...AUDIT_OUTCOMES]),
    errorCode: Nullable(ErrorCodeName),
    vin: Nullable(VehicleName),
    subject: Type.String({
      description: 'Subject of the entry; empty in a pseudonymous dossier.',
    }),
    reason: Type.String(),
    detail: Type.Object(
      {},
      { additionalProperties: true, description: 'Empty in a pseudonymous dossier.' },
    ),
    position: Nullable(
      Type.Integer(),
      'Position in the chain of the audit log; null: not yet chained when the dossier was written.',
    ),
    chainHash: Nullable(Sha256, 'Hash in the chain of the audit log.'),
  },
  'An entry of the audit log about the schedule, or about one of its vehicles while it ran; a pseudonymous dossier omits entries about vehicles.',
);

const EndRecord = record(
  'end',
  {
    counts: Type.Record(Type.String(), Count, {
      description: 'Number of preceding records, by type.',
    }),
  },
  'Marks the end of the records.',
);

const TimestampRecord = record(
  'timestamp',
  {
    imprint: Type.String({
      description: 'The hash of the record `end`, which the token time-stamps.',
    }),
    time: TimeOf('Time stated in the token.'),
    token: Type.String({
      contentEncoding: 'base64',
      description: 'The answer of the time-stamping authority (RFC 3161, TimeStampResp, DER).',
    }),
  },
  'A time stamp; only if a time-stamping authority is configured.',
);

/** The last line. It is not chained: it seals the chain. */
export const DossierSeal = Type.Object(
  {
    key: Type.Object({}, { additionalProperties: true, description: 'Public key.' }),
    seal: Type.Object(AuditSeal.properties, {
      additionalProperties: false,
      title: 'DossierSealedHead',
    }),
    type: Type.Literal('seal'),
  },
  { additionalProperties: false, title: 'DossierSeal' },
);

/** A line of a dossier. */
export const DossierLine = Type.Union(
  [
    CampaignRecord,
    ScriptRecord,
    RegulationRecord,
    ApprovalRecord,
    WaveRecord,
    DecisionRecord,
    TestRecord,
    VehicleRecord,
    StepRecord,
    FailureRecord,
    AuditRecord,
    EndRecord,
    TimestampRecord,
    DossierSeal,
  ],
  { title: 'DossierLine' },
);
export type DossierLine = Type.Static<typeof DossierLine>;

/** A record that is not chained yet. */
export type DossierRecord = Unchained<Exclude<DossierLine, { type: 'seal' }>>;
type Unchained<Line> = Line extends unknown ? Omit<Line, 'hash'> : never;
/** A record of one type. */
export type RecordOf<Name extends DossierRecord['type']> = Extract<DossierRecord, { type: Name }>;

/** Route of the dossier of a schedule. */
export const dossierApi = routesOf('Schedules', {
  getDossier: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/dossier',
    permission: 'read',
    scope: 'unscoped-only',
    audit: 'export-dossier',
    load: 'export',
    summary: 'Get the dossier of a schedule: everything stored about it, sealed',
    description:
      'JSON Lines, hash-chained and sealed, or a PDF made of the same lines. It is a consistent snapshot; the dossier of a running schedule is not final.',
    params: RefIdParams,
    query: Type.Object({
      format: Type.Enum(['jsonl', 'pdf'], {
        default: 'jsonl',
        description: 'Format of the dossier.',
      }),
      pseudonymous: Type.Boolean({
        default: false,
        description: 'Pseudonyms in place of VINs and serial numbers, for archives.',
      }),
    }),
    answer: stream([DOSSIER_TYPE, PDF_TYPE], 'The dossier.', DossierLine),
    errors: ['SCHEDULE_NOT_FOUND', 'TIMESTAMP_UNAVAILABLE'],
  },
});
