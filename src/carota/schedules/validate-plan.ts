/** Validates a plan against its schema and the rules that a schema cannot express. Pure. */
import { SchedulePlan, TIME_ZONE_MESSAGE } from '../../contract/carota-api/index.js';
import { checkOf, type FieldError, parseTimestamp } from '../../contract/index.js';
import { isTimeZone } from '../../update-script/index.js';

const check = checkOf(SchedulePlan);

/** @returns the plan, or all errors with the JSON Pointers of their fields */
export function validatePlan(value: unknown): SchedulePlan | readonly FieldError[] {
  if (!check.matches(value)) return check.errors(value);
  const errors = planErrors(value);
  return errors.length > 0 ? errors : value;
}

/** The rules that a schema cannot express. */
export function planErrors(plan: SchedulePlan): FieldError[] {
  return [...timeErrors(plan), ...choiceErrors(plan), ...waveErrors(plan), ...guardErrors(plan)];
}

function* choiceErrors({ vins, filter }: SchedulePlan): Generator<FieldError> {
  if (vins && filter) yield { path: '/filter', message: 'cannot be combined with vins' };
  if (filter?.versions && filter.ecu === undefined) {
    yield { path: '/filter/ecu', message: 'is missing: versions need an ECU' };
  }
}

function* timeErrors({ start, stop, timeZone, windows = [] }: SchedulePlan): Generator<FieldError> {
  if (start !== undefined && stop !== undefined && parseTimestamp(stop) <= parseTimestamp(start)) {
    yield { path: '/stop', message: 'must be after the start' };
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    yield { path: '/timeZone', message: TIME_ZONE_MESSAGE };
  }
  for (const [place, { from, to }] of windows.entries()) {
    if (from === to)
      yield { path: `/windows/${place}/to`, message: 'must differ from the start of the window' };
  }
}

function* waveErrors({ waves = [] }: SchedulePlan): Generator<FieldError> {
  const seen = new Set<string>();
  for (const [place, wave] of waves.entries()) {
    if (Object.keys(wave).length !== 1) {
      yield {
        path: `/waves/${place}`,
        message: 'must have exactly one of vehicles, percent and vins',
      };
    }
    for (const [number, vin] of (wave.vins ?? []).entries()) {
      const upper = vin.toUpperCase();
      if (seen.has(upper)) {
        yield { path: `/waves/${place}/vins/${number}`, message: 'occurs twice' };
      }
      seen.add(upper);
    }
  }
}

function* guardErrors({ guard }: SchedulePlan): Generator<FieldError> {
  if (!guard) return;
  if (!guard.test && guard.maxFailures === undefined) {
    const message = 'needs a test or maxFailures: without either, failures never stop the schedule';
    yield { path: '/guard', message };
  }
  if (guard.test && guard.test.intolerable <= guard.test.tolerated) {
    yield { path: '/guard/test/intolerable', message: 'must be above the tolerated rate' };
  }
}
