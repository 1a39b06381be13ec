/** A schedule as typed in a form, and as sent. Pure. */
import {
  type GuardSettings,
  type RetryRule,
  type SchedulePlan,
  type WavePlan,
} from '../../contract/carota-api/index.js';
import { given, words } from '../format/given.js';
import { numberOf } from '../format/number-text.js';

export interface WaveForm {
  readonly kind: 'vehicles' | 'percent' | 'vins';
  readonly value: string;
}

export type WindowForm = Readonly<NonNullable<SchedulePlan['windows']>[number]>;

/** Numbers as typed. */
export type RetryForm = Readonly<Record<keyof RetryRule, string> & Pick<RetryRule, 'state'>>;

export interface PlanForm {
  readonly refId: string;
  readonly script: string;
  readonly model: string;
  readonly choice: 'filter' | 'vins';
  readonly vins: string;
  readonly tags: string;
  readonly ecu: string;
  readonly versions: string;
  readonly waves: readonly WaveForm[];
  /** As in the browser's input: the user's local time. */
  readonly start: string;
  readonly stop: string;
  readonly timeZone: string;
  readonly windows: readonly WindowForm[];
  readonly pause: string;
  readonly isTested: boolean;
  /** Percent. */
  readonly tolerated: string;
  readonly intolerable: string;
  readonly falseStop: string;
  readonly missedStop: string;
  readonly maxFailures: string;
  readonly maxRollbackFailures: string;
  readonly undecided: '' | 'hold' | 'continue';
  readonly patience: string;
  readonly maxEarlyFailures: string;
  readonly exposureCap: string;
  readonly deadline: string;
  readonly afterReboot: string;
  readonly soak: string;
  readonly retry: readonly RetryForm[];
  readonly priority: string;
  readonly perSecond: string;
}

export const emptyPlan = (timeZone: string): PlanForm => ({
  refId: '',
  script: '',
  model: '',
  choice: 'filter',
  vins: '',
  tags: '',
  ecu: '',
  versions: '',
  waves: [
    { kind: 'percent', value: '1' },
    { kind: 'percent', value: '10' },
  ],
  start: '',
  stop: '',
  timeZone,
  windows: [],
  pause: '',
  isTested: true,
  tolerated: '1',
  intolerable: '5',
  falseStop: '5',
  missedStop: '5',
  maxFailures: '',
  maxRollbackFailures: '',
  undecided: '',
  patience: '',
  maxEarlyFailures: '',
  exposureCap: '',
  deadline: '',
  afterReboot: '',
  soak: '',
  retry: [],
  priority: '',
  perSecond: '',
});

/** An empty field is sent without a number, so that the server reports it. */
const required = (text: string): number => numberOf(text) ?? NaN;
const share = (percent: string) => required(percent) / 100;

/** The user's local time with its offset, as the interface requires; undefined if empty. */
const moment = (text: string) => (text === '' ? undefined : new Date(text).toISOString());

function waveOf({ kind, value }: WaveForm): WavePlan {
  if (kind === 'vins') return { vins: words(value) };
  return kind === 'vehicles' ? { vehicles: required(value) } : { percent: required(value) };
}

function guardOf(form: PlanForm): GuardSettings | undefined {
  const guard: GuardSettings = given({
    test: form.isTested
      ? {
          tolerated: share(form.tolerated),
          intolerable: share(form.intolerable),
          falseStop: share(form.falseStop),
          missedStop: share(form.missedStop),
        }
      : undefined,
    maxFailures: numberOf(form.maxFailures),
    maxRollbackFailures: numberOf(form.maxRollbackFailures),
    undecided: form.undecided === '' ? undefined : form.undecided,
    patience: numberOf(form.patience),
    maxEarlyFailures: numberOf(form.maxEarlyFailures),
    exposureCap: numberOf(form.exposureCap),
    deadline: numberOf(form.deadline),
    afterReboot: numberOf(form.afterReboot),
    soak: numberOf(form.soak),
  });
  return Object.keys(guard).length === 0 ? undefined : guard;
}

function retryOf({ state, reason, after, times }: RetryForm): RetryRule {
  const pattern = reason.trim();
  return {
    state,
    ...(pattern === '' ? {} : { reason: pattern }),
    after: required(after),
    times: required(times),
  };
}

function dispatchOf({ priority, perSecond }: PlanForm): SchedulePlan['dispatch'] {
  const dispatch = given({
    priority: numberOf(priority),
    rate: perSecond.trim() === '' ? undefined : { perSecond: required(perSecond) },
  });
  return Object.keys(dispatch).length === 0 ? undefined : dispatch;
}

function filterOf({ tags, ecu, versions }: PlanForm): NonNullable<SchedulePlan['filter']> {
  const all = words(tags);
  const some = words(versions);
  return {
    ...(all.length === 0 ? {} : { tags: all }),
    ...(ecu === '' ? {} : { ecu: ecu.trim() }),
    ...(some.length === 0 ? {} : { versions: some }),
  };
}

export function planOf(form: PlanForm): SchedulePlan {
  return {
    'ref-id': form.refId.trim(),
    'script-ref-id': form.script,
    model: form.model,
    ...(form.choice === 'vins' ? { vins: words(form.vins) } : { filter: filterOf(form) }),
    ...given({
      start: moment(form.start),
      stop: moment(form.stop),
      ...(form.windows.length === 0 ? {} : { windows: [...form.windows], timeZone: form.timeZone }),
      waves: form.waves.length === 0 ? undefined : form.waves.map(waveOf),
      pause: numberOf(form.pause),
      guard: guardOf(form),
      retry: form.retry.length === 0 ? undefined : form.retry.map(retryOf),
      dispatch: dispatchOf(form),
    }),
  };
}

/** The step of the form that contains a field of the plan. */
const STEP_OF: readonly (readonly [prefix: string, step: number])[] = [
  ['/vins', 1],
  ['/filter', 1],
  ['/guard', 3],
  ['/waves', 2],
  ['/windows', 2],
  ['/start', 2],
  ['/stop', 2],
  ['/timeZone', 2],
  ['/pause', 2],
  ['/retry', 3],
  ['/dispatch', 3],
];

export const stepOf = (path: string): number =>
  STEP_OF.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 0;
