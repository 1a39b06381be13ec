/** How an operation goes, beyond its counters. */
import Type from '../typebox.js';
import { Nullable, Time, TimeOf } from '../http/index.js';
import { States } from './operations.js';

const FunnelStage = Type.Object(
  {
    stage: Type.String({
      description: 'triggered, sent, acknowledged, or a status of the OTA Event Enum.',
    }),
    vehicles: Type.Integer({ description: 'Have come so far in their newest attempt.' }),
  },
  { title: 'FunnelStage' },
);
export type FunnelStage = Type.Static<typeof FunnelStage>;

const FailureReason = Type.Object(
  {
    state: Type.String(),
    reason: Type.String({ description: 'In the vehicles’ words; empty where none was given.' }),
    vehicles: Type.Integer(),
  },
  { title: 'FailureReason' },
);
export type FailureReason = Type.Static<typeof FailureReason>;

export const PHASES = [
  'delivery',
  'start',
  'consent',
  'download',
  'checks',
  'install',
  'rollback',
  'total',
] as const;

const PhaseDuration = Type.Object(
  {
    phase: Type.Enum([...PHASES]),
    vehicles: Type.Integer({ description: 'Vehicles of the sample that completed it.' }),
    p50: Type.Number({ description: 'Median, seconds.' }),
    p90: Type.Number({ description: '90th percentile, seconds.' }),
    p99: Type.Number({ description: '99th percentile, seconds.' }),
  },
  { title: 'PhaseDuration' },
);
export type PhaseDuration = Type.Static<typeof PhaseDuration>;

const Estimate = Type.Object(
  {
    finishedPerMinute: Type.Number({ description: 'Vehicles, over the window.' }),
    windowSeconds: Type.Integer(),
    completionAt: Nullable(Time, 'null: not at this rate, or not while it is paused.'),
  },
  { title: 'Estimate' },
);
export type Estimate = Type.Static<typeof Estimate>;

export const Summary = Type.Object(
  {
    at: TimeOf('When it was made; it is cached for a while.'),
    states: States,
    funnel: Type.Array(FunnelStage),
    failureReasons: Type.Array(FailureReason, { description: 'The 100 most frequent.' }),
    phases: Type.Array(PhaseDuration, { description: 'Phases that any vehicle completed.' }),
    sampledVehicles: Type.Integer({ description: 'Vehicles from which durations were read.' }),
    sends: Type.Integer({ description: 'OTA_TRIGGERs that went out, repetitions included.' }),
    estimate: Estimate,
  },
  { title: 'Summary' },
);
export type Summary = Type.Static<typeof Summary>;
