/** A schedule as it is planned: the schema, and what a schema cannot say. Pure. */
import Type from 'typebox';
import {
  checkOf,
  DispatchOptions,
  type FieldError,
  Identifier,
  parseTimestamp,
  Pattern,
  Text,
  Timestamp,
  Vin,
} from '../../contract/index.js';
import { DailyWindow, EcuName, isTimeZone } from '../../update-script/index.js';
import { GuardSettings } from '../guard/index.js';

const TIME_ZONE = 'must be a name of the IANA time zones, as Europe/Berlin';
const MAX_LISTED = 1_000_000;

export const VehicleFilter = Type.Object(
  {
    tags: Type.Optional(
      Type.Array(Text(100, 'A tag.', 1), {
        maxItems: 20,
        description: 'It has all of them.',
      }),
    ),
    ecu: Type.Optional(EcuName),
    versions: Type.Optional(
      Type.Array(Text(70, 'A version.', 1), {
        minItems: 1,
        maxItems: 100,
        description: 'That the ECU runs one of; 1.3.* is every version that begins so.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'VehicleFilter',
    description: 'Vehicles of the schedule’s model, as they are when it starts.',
  },
);
export type VehicleFilter = Type.Static<typeof VehicleFilter>;

export const WavePlan = Type.Object(
  {
    vehicles: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LISTED, description: 'So many.' }),
    ),
    percent: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 100, description: 'Of all vehicles.' }),
    ),
    vins: Type.Optional(
      Type.Array(Vin, { minItems: 1, maxItems: 10_000, description: 'Just these, as a canary.' }),
    ),
  },
  { additionalProperties: false, title: 'Wave', description: 'One of the three.' },
);
export type WavePlan = Type.Static<typeof WavePlan>;

export const SchedulePlan = Type.Object(
  {
    'ref-id': Identifier('The schedule: the operation at the adapter.'),
    'script-ref-id': Identifier('What is to be done.'),
    model: Identifier('Vehicle model.'),
    vins: Type.Optional(
      Type.Array(Vin, { maxItems: MAX_LISTED, description: 'Vehicles. More can be added as CSV.' }),
    ),
    filter: Type.Optional(VehicleFilter),
    start: Type.Optional(Timestamp('When the first wave is due; absent: at once.')),
    stop: Type.Optional(Timestamp('No wave begins from then on.')),
    timeZone: Type.Optional(
      Pattern('^[A-Za-z0-9_+/-]{1,100}$', TIME_ZONE, {
        default: 'UTC',
        description: 'IANA name; of the windows.',
      }),
    ),
    windows: Type.Optional(
      Type.Array(DailyWindow, {
        maxItems: 10,
        description: 'Parts of the day in which waves may begin; absent: always.',
      }),
    ),
    waves: Type.Optional(
      Type.Array(WavePlan, {
        maxItems: 1_000,
        description: 'In this order; whoever is left over comes in one more.',
      }),
    ),
    pause: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 365 * 24 * 3600,
        default: 0,
        description: 'Seconds between the end of a wave and the next.',
      }),
    ),
    guard: Type.Optional(GuardSettings),
    dispatch: Type.Optional(DispatchOptions),
  },
  { additionalProperties: false, title: 'SchedulePlan' },
);
export type SchedulePlan = Type.Static<typeof SchedulePlan>;

const check = checkOf(SchedulePlan);

/** @returns the plan, or every fault with the JSON Pointer of its field */
export function validatePlan(value: unknown): SchedulePlan | readonly FieldError[] {
  if (!check.matches(value)) return check.errors(value);
  const errors = [...timeErrors(value), ...waveErrors(value), ...guardErrors(value)];
  if (value.vins && value.filter) {
    errors.push({ path: '/filter', message: 'vins or a filter, not both' });
  }
  if (value.filter?.versions && value.filter.ecu === undefined) {
    errors.push({ path: '/filter/ecu', message: 'is missing: versions are those of an ECU' });
  }
  return errors.length > 0 ? errors : value;
}

function* timeErrors({ start, stop, timeZone, windows = [] }: SchedulePlan): Generator<FieldError> {
  if (start !== undefined && stop !== undefined && parseTimestamp(stop) <= parseTimestamp(start)) {
    yield { path: '/stop', message: 'must be after the start' };
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    yield { path: '/timeZone', message: TIME_ZONE };
  }
  for (const [place, { from, to }] of windows.entries()) {
    if (from === to)
      yield { path: `/windows/${place}/to`, message: 'must differ from its beginning' };
  }
}

function* waveErrors({ waves = [] }: SchedulePlan): Generator<FieldError> {
  const seen = new Set<string>();
  for (const [place, wave] of waves.entries()) {
    if (Object.keys(wave).length !== 1) {
      yield { path: `/waves/${place}`, message: 'must have one of vehicles, percent and vins' };
    }
    for (const [number, vin] of (wave.vins ?? []).entries()) {
      const known = vin.toUpperCase();
      if (seen.has(known))
        yield { path: `/waves/${place}/vins/${number}`, message: 'is named twice' };
      seen.add(known);
    }
  }
}

function* guardErrors({ guard }: SchedulePlan): Generator<FieldError> {
  if (guard?.test && guard.test.intolerable <= guard.test.tolerated) {
    yield { path: '/guard/test/intolerable', message: 'must be above the tolerated rate' };
  }
}
