/** The guard of a schedule: when failures stop it, or hold its next wave. */
import Type from 'typebox';

const MAX_VEHICLES = 1_000_000_000;
/** Ten years, seconds. */
const MAX_PATIENCE = 315_360_000;

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
    description: 'A sequential test (Wald) of failed against finished vehicles.',
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
        description: 'Number of failed vehicles that stops the schedule.',
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
        maximum: MAX_PATIENCE,
        description: 'Seconds after which a wave is judged by the vehicles that have finished.',
      }),
    ),
  },
  { additionalProperties: false, title: 'GuardSettings' },
);
export type GuardSettings = Type.Static<typeof GuardSettings>;

/** Where a test stands after so many vehicles. */
const COUNTS = {
  succeeded: Type.Integer(),
  failed: Type.Integer(),
  evidence: Type.Number({
    description: 'Log-likelihood ratio of the intolerable rate to the tolerated one.',
  }),
};
const BOUNDS = {
  stopAt: Type.Number({ description: 'The test stops at this evidence or above.' }),
  goAt: Type.Number({ description: 'The test lets the next wave go at this evidence or below.' }),
};

export const Figures = Type.Object({ ...COUNTS, ...BOUNDS }, { title: 'Figures' });
export type Figures = Readonly<Type.Static<typeof Figures>>;

/** How a schedule's test went. */
export const GuardTest = Type.Object(
  {
    ...BOUNDS,
    path: Type.Array(
      Type.Object(
        {
          at: Type.String({ format: 'date-time' }),
          fromWave: Type.Integer({ description: 'The test counts from this wave on.' }),
          ...COUNTS,
        },
        { title: 'GuardTestPoint' },
      ),
      { description: 'After each failure and each call-back; the first 5,000.' },
    ),
  },
  { title: 'GuardTest' },
);
export type GuardTest = Type.Static<typeof GuardTest>;
