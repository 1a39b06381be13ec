/** `/v1.0/notification-rules`, `/v1.0/notifications`: rules for notifications, and their deliveries. */
import {
  type Notification,
  notificationApi,
  type NotificationRule,
} from '../../../contract/carota-api/index.js';
import { recordRequest } from '../../../service/audit/index.js';
import {
  ID_POSITION,
  invalid,
  listCursor,
  needSecretKey,
  page,
  Problem,
  serve,
  type Served,
  type Server,
} from '../../../service/http/index.js';
import {
  addRule,
  addTest,
  type DeliveryRow,
  findRule,
  listDeliveries,
  listRules,
  messageIdOf,
  removeRule,
  ruleErrors,
  type RuleRow,
  switchRule,
} from '../../notifications/index.js';
import { type CarotaContext } from '../context.js';

const NOTIFICATIONS = listCursor('notifications', ID_POSITION);

export function notificationRoutes(server: Server, context: CarotaContext): void {
  const { database, reading, clock } = context;

  serve(server, notificationApi.listNotificationRules, async () => ({
    items: (await listRules(reading)).map(ruleBody),
  }));

  serve(server, notificationApi.addNotificationRule, async ({ body }) => {
    const { channels, box } = context.notifications;
    const errors = ruleErrors(body, channels);
    if (errors.length > 0) throw invalid(errors);
    needSecretKey(box);
    const now = clock();
    const { row, secret } = await database.transaction(async (tx) => {
      const added = await addRule(tx, body, box, now);
      if (!added) {
        throw new Problem('NOTIFICATION_RULE_EXISTS', `there is already a rule '${body.name}'`);
      }
      const { name, events, channel } = body;
      await recordRequest(tx, now, { subject: name, detail: { events, channel } });
      return added;
    });
    return { ...ruleBody(row), ...(secret === undefined ? {} : { secret }) };
  });

  serve(server, notificationApi.changeNotificationRule, async ({ params: { id }, body }) => {
    const row = await database.transaction(async (tx) => {
      const changed = await switchRule(tx, id, body.enabled);
      if (!changed) throw noRule(id);
      await recordRequest(tx, clock(), { subject: changed.name, detail: body });
      return changed;
    });
    return ruleBody(row);
  });

  serve(server, notificationApi.removeNotificationRule, async ({ params: { id } }) => {
    await database.transaction(async (tx) => {
      if (!(await removeRule(tx, id))) throw noRule(id);
      await recordRequest(tx, clock());
    });
  });

  serve(server, notificationApi.testNotificationRule, async ({ params: { id } }) => {
    const delivery = await database.transaction(async (tx) => {
      const rule = await findRule(tx, id);
      if (!rule) throw noRule(id);
      await recordRequest(tx, clock(), { subject: rule.name });
      return addTest(tx, rule, clock());
    });
    context.notifications.sender.wake();
    return deliveryBody(delivery);
  });

  serve(server, notificationApi.listNotifications, async ({ query: { limit, cursor } }) => {
    const position = NOTIFICATIONS.read(cursor);
    const before = position === undefined ? undefined : Number(position);
    const rows = await listDeliveries(reading, before, limit);
    return page(rows, limit, NOTIFICATIONS, ({ id }) => String(id), deliveryBody);
  });
}

const noRule = (id: string) =>
  new Problem('NOTIFICATION_RULE_NOT_FOUND', `there is no rule ${id} for notifications`);

const ruleBody = (row: RuleRow): Served<NotificationRule> => ({
  id: String(row.id),
  name: row.name,
  events: row.events,
  channel: row.channel,
  target: row.shown,
  failurePercent: row.failure_percent,
  least: row.least,
  enabled: row.enabled,
  createdAt: row.created_at,
});

const deliveryBody = (row: DeliveryRow): Served<Notification> => ({
  id: messageIdOf(row.id),
  event: row.event,
  at: row.at,
  'ref-id': row.ref_id,
  summary: row.summary,
  rule: row.rule,
  channel: row.channel,
  tries: row.tries,
  deliveredAt: row.delivered_at,
  nextTryAt: row.due_at,
  failure: row.failure,
});
