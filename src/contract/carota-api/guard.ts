/** The guard of a schedule: when failures stop it, or hold its next wave. */
import Type from '../typebox.js';
import { Nullable } from '../http/index.js';
import { ScheduleVehicleStateName } from '../states/index.js';
import { GUARD_DEFAULTS } from './guard-defaults.js';

const MAX_VEHICLES = 1_000_000_000;
/** Ten years, seconds. */
const MAX_SECONDS = 315_360_000;

const Rate = (description: string) =>
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, description });

/** Wald's sequential probability ratio test of a failure rate. */
export const TestSettings = Type.Object(
  {
    tolerated: Rate('Tolerable failure rate.'),
    intolerable: Rate('Failure rate at which the schedule must stop; greater than `tolerated`.'),
    falseStop: Rate('Maximum probability of stopping at the tolerated rate.'),
    missedStop: Rate('Maximum probability of continuing at the intolerable rate.'),
  },
  {
    additionalProperties: false,
    title: 'TestSettings',
    description:
      'Wald’s sequential test of the failure rate over the exposed vehicles, in the order of their exposure. Silence counts as failure.',
    examples: [{ tolerated: 0.02, intolerable: 0.1, falseStop: 0.05, missedStop: 0.05 }],
  },
);
export type TestSettings = Type.Static<typeof TestSettings>;

/** Settings of the guard of a schedule. */
export const GuardSettings = Type.Object(
  {
    test: Type.Optional(TestSettings),
    maxFailures: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        description:
          'Number of failed or silent vehicles after exposure at which the schedule stops.',
      }),
    ),
    maxEarlyFailures: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        description:
          'Number of vehicles failed before exposure (script not fetched, metadata not verified) at which the schedule stops; default: maxFailures.',
      }),
    ),
    maxRollbackFailures: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        description: 'Number of vehicles in rollback_fail at which the schedule stops.',
      }),
    ),
    undecided: Type.Optional(
      Type.Enum(['hold', 'continue'], {
        default: 'hold',
        description:
          'Action if the test has not decided when the wave has finished or its patience has passed.',
      }),
    ),
    patience: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SECONDS,
        description:
          'Seconds after which a wave no longer waits for vehicles that have not started. It always waits for those that have.',
      }),
    ),
    exposureCap: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        default: GUARD_DEFAULTS.exposureCap,
        description:
          'Maximum number of exposed vehicles without a result, and of vehicles exposed after the earliest one at which a test may stop. It grows by one for each vehicle of a test that decided "go".',
      }),
    ),
    deadline: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SECONDS,
        default: GUARD_DEFAULTS.deadline,
        description:
          'Seconds after exposure within which a vehicle must have a result; after that, it is silent.',
      }),
    ),
    afterReboot: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SECONDS,
        default: GUARD_DEFAULTS.afterReboot,
        description:
          'Seconds after the last `reboot` within which a vehicle must report a final status; after that, it is silent.',
      }),
    ),
    soak: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_SECONDS,
        default: GUARD_DEFAULTS.soak,
        description:
          'Seconds after `success` during which a failure still counts; after that, the success is final.',
      }),
    ),
  },
  { additionalProperties: false, title: 'GuardSettings' },
);
/** A value that fits the schema {@link GuardSettings}. */
export type GuardSettings = Type.Static<typeof GuardSettings>;

const Evidence = (description: string) => Type.Number({ description });
const BOUNDS = {
  stopAt: Type.Number({ description: 'The test stops when the evidence reaches this bound.' }),
  goAt: Type.Number({
    description: 'The test decides "go" when the evidence falls to this bound.',
  }),
};

/** The figures on which a decision was based. */
export const Figures = Type.Object(
  {
    test: Type.Integer({ description: 'Number of the test, from 1.' }),
    from: Type.Integer({ description: 'Place of its first vehicle in the order of exposure.' }),
    vehicles: Type.Integer({ description: 'Number of vehicles in the test.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer({ description: 'Silent vehicles included.' }),
    evidence: Evidence(
      'Log-likelihood ratio of the intolerable rate to the tolerated one, on the deciding path.',
    ),
    ...BOUNDS,
  },
  { title: 'Figures' },
);
export type Figures = Readonly<Type.Static<typeof Figures>>;

/** Result of a vehicle’s exposure. */
export const ExposureResult = Type.Enum(
  ['undecided', 'succeeded', 'failed', 'silent', 'withdrawn'],
  {
    title: 'ExposureResult',
    description:
      'Result of an exposed vehicle (contract section 10). silent: no final status before its deadline, which counts as a failure.',
  },
);
/** A value that fits the schema {@link ExposureResult}. */
export type ExposureResult = Type.Static<typeof ExposureResult>;

/** Counts of a schedule's vehicles by the guard's view of them. */
export const Exposure = Type.Object(
  {
    exposed: Type.Integer({ description: 'Vehicles that were admitted or have started.' }),
    undecided: Type.Integer(),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    silent: Type.Integer(),
    withdrawn: Type.Integer(),
    failedEarly: Type.Integer({ description: 'Vehicles that failed before exposure.' }),
    cap: Nullable(
      Type.Integer({
        description:
          'Current maximum number of undecided vehicles; null: the schedule has no guard.',
      }),
    ),
    waiting: Type.Integer({
      description: 'Vehicles that requested admission and wait because of the cap.',
    }),
    retrying: Type.Integer({ description: 'Failed vehicles that will be retried.' }),
    nextDeadline: Nullable(
      Type.String({
        format: 'date-time',
        description: 'When the next undecided vehicle becomes silent, or its soak ends.',
      }),
    ),
  },
  { title: 'Exposure' },
);
export type Exposure = Type.Static<typeof Exposure>;

/** State of a schedule's current test. */
export const GuardTest = Type.Object(
  {
    ...BOUNDS,
    number: Type.Integer({ description: 'From 1.' }),
    from: Type.Integer({ description: 'Place of its first vehicle in the order of exposure.' }),
    oldest: Nullable(
      Type.Object({
        vin: Type.String(),
        state: ScheduleVehicleStateName,
        decidesAt: Nullable(
          Type.String({
            format: 'date-time',
            description: 'When it will count as silent or, if it reported success, as succeeded.',
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
          optimistic: Evidence(
            'Evidence after this vehicle, with undecided ones counted as successes.',
          ),
          pessimistic: Evidence(
            'Evidence after this vehicle, with undecided ones counted as failures.',
          ),
        },
        { title: 'GuardTestPoint' },
      ),
      { description: 'The vehicles in the test, in the order of their exposure.' },
    ),
  },
  { title: 'GuardTest' },
);
export type GuardTest = Type.Static<typeof GuardTest>;
