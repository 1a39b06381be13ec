/** The plan of a schedule. */
import Type from '../typebox.js';
import { DispatchOptions } from '../adapter-api/dispatch-options.js';
import { DailyWindow, EcuName } from '../update-script/index.js';
import { Pattern } from '../values/pattern.js';
import { Identifier, Text } from '../values/text.js';
import { Timestamp } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';
import { GuardSettings } from './guard.js';
import { RetryRule } from './retry.js';

/** What to say of a text that is no time zone. */
export const TIME_ZONE_MESSAGE = 'must be an IANA time zone, such as Europe/Berlin';
/** Most vehicles that a schedule can list. */
export const MAX_LISTED = 1_000_000;

/** Filter that selects the vehicles of a schedule. */
export const VehicleFilter = Type.Object(
  {
    tags: Type.Optional(
      Type.Array(Text(100, 'A tag.', 1), {
        maxItems: 20,
        description: 'Only vehicles that have all of these tags.',
      }),
    ),
    ecu: Type.Optional(EcuName),
    versions: Type.Optional(
      Type.Array(Text(70, 'A version, or a prefix of one: 1.3.*', 1), {
        minItems: 1,
        maxItems: 100,
        description: 'Only vehicles whose `ecu` runs one of these.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'VehicleFilter',
    description: 'Vehicles of the schedule’s model, chosen when it starts.',
  },
);
/** A value that fits the schema {@link VehicleFilter}. */
export type VehicleFilter = Type.Static<typeof VehicleFilter>;

/** Plan of one wave. */
export const WavePlan = Type.Object(
  {
    vehicles: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LISTED, description: 'Number of vehicles.' }),
    ),
    percent: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 100,
        description: 'Share of all vehicles, rounded up.',
      }),
    ),
    vins: Type.Optional(
      Type.Array(Vin, {
        minItems: 1,
        maxItems: 10_000,
        description: 'Exactly these vehicles, e.g. a canary.',
      }),
    ),
  },
  { additionalProperties: false, title: 'WavePlan', description: 'Exactly one of the three.' },
);
/** A value that fits the schema {@link WavePlan}. */
export type WavePlan = Type.Static<typeof WavePlan>;

/** Plan of a schedule: script, vehicles, waves, windows, guard. */
export const SchedulePlan = Type.Object(
  {
    'ref-id': Identifier('Id of the schedule and of its operation at the adapter.'),
    'script-ref-id': Identifier('The update script to run.'),
    model: Identifier('Vehicle model.'),
    vins: Type.Optional(
      Type.Array(Vin, {
        maxItems: MAX_LISTED,
        description: 'Its vehicles; more can be added as CSV or NDJSON. Not with a filter.',
      }),
    ),
    filter: Type.Optional(VehicleFilter),
    start: Type.Optional(Timestamp('When the first wave is due; absent: immediately.')),
    stop: Type.Optional(Timestamp('Latest wave start.')),
    timeZone: Type.Optional(
      Pattern('^[A-Za-z0-9_+/-]{1,100}$', TIME_ZONE_MESSAGE, {
        default: 'UTC',
        description: 'IANA time zone of the windows.',
        examples: ['Europe/Berlin'],
      }),
    ),
    windows: Type.Optional(
      Type.Array(DailyWindow, {
        maxItems: 10,
        description: 'Times of day at which waves may start; absent: always.',
      }),
    ),
    waves: Type.Optional(
      Type.Array(WavePlan, {
        maxItems: 1_000,
        description: 'In this order. Remaining vehicles form a final wave.',
      }),
    ),
    pause: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 365 * 24 * 3600,
        default: 0,
        description: 'Seconds between the end of a wave and the start of the next.',
      }),
    ),
    guard: Type.Optional(GuardSettings),
    retry: Type.Optional(
      Type.Array(RetryRule, {
        minItems: 1,
        maxItems: 20,
        description:
          'Failures to be retried; the first matching rule applies. Requires a server with a token that may control the adapter.',
      }),
    ),
    dispatch: Type.Optional(DispatchOptions),
  },
  {
    additionalProperties: false,
    title: 'SchedulePlan',
    examples: [
      {
        'ref-id': 'schedule 0909',
        'script-ref-id': 'hu only 001',
        model: 'vehicle model a',
        filter: { tags: ['staff'], ecu: 'HU', versions: ['1.3.*'] },
        start: '2026-12-01T23:00:00+01:00',
        waves: [{ percent: 1 }, { percent: 10 }],
        pause: 3_600,
        guard: {
          test: { tolerated: 0.02, intolerable: 0.1, falseStop: 0.05, missedStop: 0.05 },
        },
      },
    ],
  },
);
/** A value that fits the schema {@link SchedulePlan}. */
export type SchedulePlan = Type.Static<typeof SchedulePlan>;
