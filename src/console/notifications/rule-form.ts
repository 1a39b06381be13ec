/** A rule for notifications as typed in a form, and as sent. Pure. */
import {
  type NewNotificationRule,
  type NotificationChannel,
  type NotifiedEvent,
} from '../../contract/carota-api/index.js';
import { given, words } from '../format/given.js';
import { numberOf } from '../format/number-text.js';

/** Numbers as typed; addresses (`to`) separated by spaces or commas. */
export interface RuleForm extends Readonly<
  Record<Exclude<keyof NewNotificationRule, 'events' | 'channel'>, string>
> {
  readonly events: readonly NotifiedEvent[];
  readonly channel: NotificationChannel;
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
