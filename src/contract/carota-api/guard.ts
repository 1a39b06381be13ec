/** The guard of a schedule: when failures stop it, or hold its next wave. */
import Type from '../typebox.js';
import { Nullable } from '../http/index.js';
import { GUARD_DEFAULTS } from './guard-defaults.js';

const MAX_VEHICLES = 1_000_000_000;
/** Ten years, seconds. */
const MAX_SECONDS = 315_360_000;

const Rate = (description: string) =>
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, description });

/** Wald's sequential probability ratio test of a failure rate. */
export const TestSettings = Type.Object(
  {
    tolerated: Rate('Failure rate that is no reason to stop.'),
    intolerable: Rate('Failure rate that must be stopped; above the tolerated one.'),
    falseStop: Rate('Maximum probability of stopping at the tolerated rate.'),
    missedStop: Rate('Maximum probability of going on at the intolerable rate.'),
  },
  {
    additionalProperties: false,
    title: 'TestSettings',
    description:
      'A sequential test (Wald) of exposed vehicles, in the order of their exposure: each succeeded or failed. Silence is failure.',
    examples: [{ tolerated: 0.02, intolerable: 0.1, falseStop: 0.05, missedStop: 0.05 }],
  },
);
export type TestSettings = Type.Static<typeof TestSettings>;

export const GuardSettings = Type.Object(
  {
    test: Type.Optional(TestSettings),
    maxFailures: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        description:
          'Number of vehicles that failed, or were silent, after they were exposed, which stops the schedule.',
      }),
    ),
    maxEarlyFailures: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        description:
          'Number of vehicles that failed before they were exposed (script not fetched, metadata not verified), which stops it; default: maxFailures.',
      }),
    ),
    maxRollbackFailures: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        description: 'Number of vehicles with rollback_fail that stops it.',
      }),
    ),
    undecided: Type.Optional(
      Type.Enum(['hold', 'continue'], {
        default: 'hold',
        description: 'What to do if a wave, or its patience, is over and the test has not decided.',
      }),
    ),
    patience: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SECONDS,
        description:
          'Seconds after which a wave no longer waits for vehicles that have not begun. It always waits for those that have.',
      }),
    ),
    exposureCap: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        default: GUARD_DEFAULTS.exposureCap,
        description:
          'Maximum number of exposed vehicles without a result, and of vehicles exposed behind the one with which a test may stop at the earliest. It grows by one for each vehicle of a test that has decided to go on.',
      }),
    ),
    deadline: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SECONDS,
        default: GUARD_DEFAULTS.deadline,
        description:
          'Seconds after its exposure in which a vehicle must come to a result; later it is silent.',
      }),
    ),
    afterReboot: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SECONDS,
        default: GUARD_DEFAULTS.afterReboot,
        description:
          'Seconds after the last `reboot` in which a vehicle must report something final; later it is silent.',
      }),
    ),
    soak: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_SECONDS,
        default: GUARD_DEFAULTS.soak,
        description:
          'Seconds after `success` in which a failure still counts; only then the vehicle has succeeded.',
      }),
    ),
  },
  { additionalProperties: false, title: 'GuardSettings' },
);
export type GuardSettings = Type.Static<typeof GuardSettings>;

const Evidence = (description: string) => Type.Number({ description });
const BOUNDS = {
  stopAt: Type.Number({ description: 'The test stops at this evidence or above.' }),
  goAt: Type.Number({ description: 'The test lets the schedule go on at this evidence or below.' }),
};

/** What a decision was based on. */
export const Figures = Type.Object(
  {
    test: Type.Integer({ description: 'Number of the test, from 1.' }),
    from: Type.Integer({ description: 'Place of its first vehicle in the order of exposure.' }),
    vehicles: Type.Integer({ description: 'That the test has taken.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer({ description: 'Silent vehicles included.' }),
    evidence: Evidence(
      'Log-likelihood ratio of the intolerable rate to the tolerated one, on the path that has decided.',
    ),
    ...BOUNDS,
  },
  { title: 'Figures' },
);
export type Figures = Readonly<Type.Static<typeof Figures>>;

export const ExposureResult = Type.Enum(
  ['undecided', 'succeeded', 'failed', 'silent', 'withdrawn'],
  {
    title: 'ExposureResult',
    description:
      'What an exposed vehicle has come to (contract section 10). silent: nothing final before its deadline, which counts as failed.',
  },
);
export type ExposureResult = Type.Static<typeof ExposureResult>;

/** A schedule's vehicles by what the guard knows of them. */
export const Exposure = Type.Object(
  {
    exposed: Type.Integer({ description: 'Vehicles that were admitted, or have begun.' }),
    undecided: Type.Integer(),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    silent: Type.Integer(),
    withdrawn: Type.Integer(),
    failedEarly: Type.Integer({ description: 'Failed before they were exposed.' }),
    cap: Nullable(
      Type.Integer({
        description: 'Maximum number of undecided vehicles now; null: the schedule has no guard.',
      }),
    ),
    waiting: Type.Integer({ description: 'Vehicles that asked and must wait for the cap.' }),
    retrying: Type.Integer({ description: 'Vehicles that failed and will be tried again.' }),
    nextDeadline: Nullable(
      Type.String({
        format: 'date-time',
        description: 'When the next undecided vehicle is silent, or its soak ends.',
      }),
    ),
  },
  { title: 'Exposure' },
);
export type Exposure = Type.Static<typeof Exposure>;

/** How a schedule's test in course stands. */
export const GuardTest = Type.Object(
  {
    ...BOUNDS,
    number: Type.Integer({ description: 'From 1.' }),
    from: Type.Integer({ description: 'Place of its first vehicle in the order of exposure.' }),
    oldest: Nullable(
      Type.Object({
        vin: Type.String(),
        state: Type.String({ description: 'Its newest report.' }),
        decidesAt: Nullable(
          Type.String({
            format: 'date-time',
            description: 'When it will count as silent, or as succeeded if it reported success.',
          }),
        ),
      }),
      'The first undecided vehicle of the path, in the order of exposure.',
    ),
    path: Type.Array(
      Type.Object(
        {
          place: Type.Integer({ description: 'In the order of exposure, from 1.' }),
          vin: Type.String(),
          result: ExposureResult,
          optimistic: Evidence('After this vehicle, where undecided ones count as successes.'),
          pessimistic: Evidence('After this vehicle, where undecided ones count as failures.'),
        },
        { title: 'GuardTestPoint' },
      ),
      { description: 'The vehicles that the test has taken, in the order of their exposure.' },
    ),
  },
  { title: 'GuardTest' },
);
export type GuardTest = Type.Static<typeof GuardTest>;
