/** How an operation goes, beyond its counters. */
import Type from '../typebox.js';
import { Nullable, Time, TimeOf } from '../http/index.js';
import { FunnelStageName, UnsuccessfulStateName } from '../states/index.js';
import { States } from './operations.js';

/** Number of vehicles that have reached one stage of the update. */
export const FunnelStage = Type.Object(
  {
    stage: FunnelStageName,
    vehicles: Type.Integer({
      description: 'Vehicles that reached this step in their newest attempt.',
    }),
  },
  { title: 'FunnelStage' },
);
/** A value that fits the schema {@link FunnelStage}. */
export type FunnelStage = Type.Static<typeof FunnelStage>;

/** A reason for failures, with the number of vehicles. */
export const FailureReason = Type.Object(
  {
    state: UnsuccessfulStateName,
    reason: Type.String({
      description: 'Reason as reported by the vehicles; empty if none was given.',
    }),
    vehicles: Type.Integer(),
  },
  { title: 'FailureReason' },
);
/** A value that fits the schema {@link FailureReason}. */
export type FailureReason = Type.Static<typeof FailureReason>;

/** Phases of an update whose durations are summarised. */
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

/** Durations of one phase over all vehicles. */
export const PhaseDuration = Type.Object(
  {
    phase: Type.Enum([...PHASES]),
    vehicles: Type.Integer({ description: 'Vehicles of the sample that completed it.' }),
    p50: Type.Number({ description: 'Median, seconds.' }),
    p90: Type.Number({ description: '90th percentile, seconds.' }),
    p99: Type.Number({ description: '99th percentile, seconds.' }),
  },
  { title: 'PhaseDuration' },
);
/** A value that fits the schema {@link PhaseDuration}. */
export type PhaseDuration = Type.Static<typeof PhaseDuration>;

/** Current rate and expected completion. */
export const Estimate = Type.Object(
  {
    finishedPerMinute: Type.Number({ description: 'Number of vehicles finished in the window.' }),
    windowSeconds: Type.Integer(),
    completionAt: Nullable(Time, 'null: none at this rate, or while the operation is paused.'),
  },
  { title: 'Estimate' },
);
/** A value that fits the schema {@link Estimate}. */
export type Estimate = Type.Static<typeof Estimate>;

/** Summary of an operation: funnel, failure reasons, durations, rate. */
export const Summary = Type.Object(
  {
    at: TimeOf('When the summary was computed; it is cached.'),
    states: States,
    funnel: Type.Array(FunnelStage),
    failureReasons: Type.Array(FailureReason, { description: 'The 100 most frequent.' }),
    phases: Type.Array(PhaseDuration, { description: 'Phases completed by at least one vehicle.' }),
    sampledVehicles: Type.Integer({
      description: 'Number of vehicles from which durations were taken.',
    }),
    sends: Type.Integer({ description: 'Number of OTA_TRIGGERs sent, including repetitions.' }),
    estimate: Estimate,
  },
  { title: 'Summary' },
);
/** A value that fits the schema {@link Summary}. */
export type Summary = Type.Static<typeof Summary>;
