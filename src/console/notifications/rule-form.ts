/** A rule for notifications as typed in a form, and as sent. Pure. */
import {
  type NewNotificationRule,
  type NotificationChannel,
  type NotifiedEvent,
} from '../../contract/carota-api/index.js';
import { given, words } from '../format/given.js';
import { numberOf } from '../format/number-text.js';

export interface RuleForm {
  readonly name: string;
  readonly events: readonly NotifiedEvent[];
  readonly channel: NotificationChannel;
  readonly url: string;
  /** Addresses, separated by spaces or commas. */
  readonly to: string;
  readonly failurePercent: string;
  readonly least: string;
}

export const EMPTY_RULE: RuleForm = {
  name: '',
  events: ['stop', 'hold'],
  channel: 'webhook',
  url: '',
  to: '',
  failurePercent: '5',
  least: '20',
};

export function ruleOf(form: RuleForm): NewNotificationRule {
  const { name, events, channel, url, to, failurePercent, least } = form;
  const hasRate = events.includes('failure-rate');
  const isEmail = channel === 'email';
  return {
    name: name.trim(),
    events: [...events],
    channel,
    ...given({
      url: isEmail || url.trim() === '' ? undefined : url.trim(),
      to: isEmail ? words(to) : undefined,
      failurePercent: hasRate ? numberOf(failurePercent) : undefined,
      least: hasRate ? numberOf(least) : undefined,
    }),
  };
}
