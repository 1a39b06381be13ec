/** Rate and priority of an operation as typed in a form, and as sent. Pure. */
import {
  MAX_PRIORITY,
  MAX_RATE,
  MAX_VEHICLES,
  MIN_PRIORITY,
  type Operation,
  type TriggerRate,
} from '../../contract/adapter-api/index.js';
import { oneOf } from '../format/choice.js';
import { numberFault, numberOf, type NumberRule } from '../format/number-text.js';

export interface DispatchForm {
  readonly priority: string;
  /** `none`: as fast as the adapters can send. */
  readonly limit: string;
  readonly perSecond: string;
  readonly factor: string;
  readonly after: string;
  readonly of: string;
  readonly atMost: string;
}

type NumberName = 'priority' | 'perSecond' | 'factor' | 'after' | 'atMost';

const RATE: NumberRule = { above: 0, max: MAX_RATE };
export const DISPATCH_RULES: Readonly<Record<NumberName, NumberRule>> = {
  priority: { isInteger: true, min: MIN_PRIORITY, max: MAX_PRIORITY },
  perSecond: RATE,
  factor: { min: 1, max: 100 },
  after: { isInteger: true, min: 1, max: MAX_VEHICLES },
  atMost: RATE,
};

export const dispatchFormOf = ({ priority, rate }: Operation): DispatchForm => ({
  priority: String(priority),
  limit: rate === null ? 'none' : 'rate',
  perSecond: String(rate?.perSecond ?? ''),
  factor: String(rate?.factor ?? ''),
  after: String(rate?.after ?? ''),
  of: rate?.of ?? 'notified',
  atMost: String(rate?.atMost ?? ''),
});

/** The errors of the visible fields. */
export function dispatchFaults(form: DispatchForm): Partial<Record<NumberName, string>> {
  const isLimited = form.limit === 'rate';
  // A growing rate needs both.
  const grows = form.factor.trim() !== '' || form.after.trim() !== '';
  const required: Readonly<Record<NumberName, boolean>> = {
    priority: true,
    perSecond: isLimited,
    factor: isLimited && grows,
    after: isLimited && grows,
    atMost: false,
  };
  const shown: readonly NumberName[] = isLimited
    ? ['priority', 'perSecond', 'factor', 'after', 'atMost']
    : ['priority'];
  return Object.fromEntries(
    shown.flatMap((name) => {
      const fault = numberFault(form[name], DISPATCH_RULES[name], required[name]);
      return fault === undefined ? [] : [[name, fault]];
    }),
  );
}

/** The request; undefined if the form has errors. A rate of null lifts the limit. */
export function dispatchOf(
  form: DispatchForm,
): { readonly priority: number; readonly rate: TriggerRate | null } | undefined {
  if (Object.keys(dispatchFaults(form)).length > 0) return undefined;
  const [priority = 0, perSecond = 0] = [numberOf(form.priority), numberOf(form.perSecond)];
  if (form.limit !== 'rate') return { priority, rate: null };
  const [factor, after, atMost] = [form.factor, form.after, form.atMost].map(numberOf);
  const of = oneOf(['notified', 'succeeded'] as const, form.of) ?? 'notified';
  const growth = factor === undefined || after === undefined ? {} : { factor, after, of };
  return {
    priority,
    rate: { perSecond, ...growth, ...(atMost === undefined ? {} : { atMost }) },
  };
}
