/** `/v1.0/notification-rules`, `/v1.0/notifications`: who is notified of what, and whether it has arrived. */
import Type from '../typebox.js';
import {
  empty,
  json,
  jsonBody,
  listOf,
  Nullable,
  pageOf,
  PageQuery,
  routesOf,
  Time,
} from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { PrintableText } from '../values/text.js';

/** Events for which there are notifications. */
export const NOTIFIED_EVENTS = [
  'stop',
  'hold',
  'silent',
  'failure-rate',
  'dead-letters',
  'expiring-keys',
] as const;
/** One of {@link NOTIFIED_EVENTS}. */
export const NotifiedEvent = Type.Enum([...NOTIFIED_EVENTS], {
  title: 'NotifiedEvent',
  description:
    'stop, hold: a schedule was stopped or held by any actor; silent: the 1st, 10th, 100th … silent vehicle of a schedule; failure-rate: a schedule reached the rule’s rate, once per rule; dead-letters: new ones at the adapter, at most once an hour; expiring-keys: 30, 7 and 1 days before a root or targets role of a repository expires.',
});
/** A value that fits the schema {@link NotifiedEvent}. */
export type NotifiedEvent = Type.Static<typeof NotifiedEvent>;

/** Channels of notifications. */
export const CHANNELS = ['webhook', 'slack', 'teams', 'email'] as const;
/** One of {@link CHANNELS}. */
export const NotificationChannel = Type.Enum([...CHANNELS], {
  title: 'NotificationChannel',
  description:
    'webhook: signed as in Standard Webhooks; slack, teams: incoming webhooks of these services or compatible ones; email: sent through the server’s --smtp-url.',
});
/** A value that fits the schema {@link NotificationChannel}. */
export type NotificationChannel = Type.Static<typeof NotificationChannel>;

const Url = Pattern('^https?://[^\\s]+$', 'must be a URL with https:// or http://', {
  maxLength: 2_048,
  description: 'For the channels webhook, slack and teams.',
});
const Address = Pattern(
  "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*$",
  'must be an e-mail address',
  { maxLength: 254 },
);
const Percent = Type.Number({
  exclusiveMinimum: 0,
  maximum: 100,
  description:
    'For the event failure-rate: percentage of failed and silent vehicles among those with a result.',
});
const Least = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'For the event failure-rate: minimum number of vehicles with a result.',
});

/** Body of a request that adds a rule. */
export const NewNotificationRule = Type.Object(
  {
    name: PrintableText({ minLength: 1, maxLength: 100 }),
    events: Type.Array(NotifiedEvent, {
      minItems: 1,
      maxItems: NOTIFIED_EVENTS.length,
      uniqueItems: true,
    }),
    channel: NotificationChannel,
    url: Type.Optional(Url),
    to: Type.Optional(
      Type.Array(Address, { minItems: 1, maxItems: 20, description: 'For the channel email.' }),
    ),
    failurePercent: Type.Optional(Percent),
    least: Type.Optional(Least),
  },
  {
    title: 'NewNotificationRule',
    additionalProperties: false,
    examples: [
      {
        name: 'operations',
        events: ['stop', 'hold', 'dead-letters'],
        channel: 'webhook',
        url: 'https://hooks.example/otaops',
      },
    ],
  },
);
/** A value that fits the schema {@link NewNotificationRule}. */
export type NewNotificationRule = Type.Static<typeof NewNotificationRule>;

/** A notification rule: events, schedules and channel. */
export const NotificationRule = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    events: Type.Array(NotifiedEvent),
    channel: NotificationChannel,
    target: Type.String({
      description: 'Destination; for slack and teams only the host, because the rest is secret.',
    }),
    failurePercent: Nullable(Type.Number()),
    least: Nullable(Type.Integer()),
    enabled: Type.Boolean(),
    createdAt: Time,
  },
  { title: 'NotificationRule' },
);
/** A value that fits the schema {@link NotificationRule}. */
export type NotificationRule = Type.Static<typeof NotificationRule>;

const NotificationRuleWithSecret = Type.Object(
  {
    ...NotificationRule.properties,
    secret: Type.Optional(
      Type.String({
        description:
          'For the channel webhook: the secret that verifies its signatures. Shown only once.',
      }),
    ),
  },
  { title: 'NotificationRuleWithSecret' },
);

const RuleChange = Type.Object(
  { enabled: Type.Boolean() },
  { title: 'NotificationRuleChange', additionalProperties: false },
);

/** A notification and the state of its delivery. */
export const Notification = Type.Object(
  {
    id: Type.String({
      description: 'The same in every attempt; sent as webhook-id and Message-ID.',
    }),
    event: Type.Union([NotifiedEvent, Type.Literal('test')]),
    at: Time,
    'ref-id': Nullable(Type.String(), 'The schedule, if the event refers to one.'),
    summary: Type.String(),
    rule: Type.String({ description: 'Name of the rule.' }),
    channel: NotificationChannel,
    tries: Type.Integer(),
    deliveredAt: Nullable(Time),
    nextTryAt: Nullable(Time, 'Null: delivered or given up.'),
    failure: Nullable(
      Type.String(),
      'Error of the latest attempt; for a delivered e-mail, the addresses that the mail server rejected.',
    ),
  },
  { title: 'Notification' },
);
export type Notification = Type.Static<typeof Notification>;

const RuleParams = Type.Object({
  id: Pattern('^[1-9][0-9]{0,17}$', 'must be the id of a rule', {
    description: 'Id of the rule.',
  }),
});

/** Routes for notification rules and their deliveries. */
export const notificationApi = routesOf('Notifications', {
  listNotificationRules: {
    method: 'GET',
    path: '/v1.0/notification-rules',
    permission: 'administer',
    scope: 'unscoped-only',
    summary: 'List the notification rules',
    answer: json(listOf(NotificationRule), 'All rules, sorted by name.'),
  },
  addNotificationRule: {
    method: 'POST',
    path: '/v1.0/notification-rules',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'add-notification-rule',
    summary: 'Create a notification rule',
    body: jsonBody(NewNotificationRule, 'The rule.'),
    answer: json(NotificationRuleWithSecret, 'Added.', 201),
    errors: ['NOTIFICATION_RULE_EXISTS', 'SECRET_KEY_NOT_SET'],
  },
  changeNotificationRule: {
    method: 'PATCH',
    path: '/v1.0/notification-rules/{id}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'change-notification-rule',
    summary: 'Switch a rule on or off',
    params: RuleParams,
    body: jsonBody(RuleChange, 'The changes.'),
    answer: json(NotificationRule, 'Changed.'),
    errors: ['NOTIFICATION_RULE_NOT_FOUND'],
  },
  removeNotificationRule: {
    method: 'DELETE',
    path: '/v1.0/notification-rules/{id}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'remove-notification-rule',
    summary: 'Remove a rule, with its deliveries',
    params: RuleParams,
    answer: empty('Removed.'),
    errors: ['NOTIFICATION_RULE_NOT_FOUND'],
  },
  testNotificationRule: {
    method: 'POST',
    path: '/v1.0/notification-rules/{id}/test',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'test-notification-rule',
    summary: 'Send a test message for a rule, even if it is switched off',
    params: RuleParams,
    answer: json(Notification, 'Queued; the list of deliveries shows the outcome.', 202),
    errors: ['NOTIFICATION_RULE_NOT_FOUND'],
  },
  listNotifications: {
    method: 'GET',
    path: '/v1.0/notifications',
    permission: 'administer',
    scope: 'unscoped-only',
    summary: 'List the deliveries of notifications, newest first',
    query: PageQuery,
    answer: json(pageOf(Notification), 'A page of deliveries.'),
  },
});
