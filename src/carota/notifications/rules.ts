/** Rules for notifications: events, channels and recipients. Addresses and signing secrets are encrypted. */
import {
  type NewNotificationRule,
  type NotificationRule,
} from '../../contract/carota-api/index.js';
import { type FieldError } from '../../contract/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { newSigningSecret } from '../../service/outgoing/index.js';
import {
  resealed,
  resealEach,
  type Resealed,
  type SecretBox,
} from '../../service/secrets/index.js';
import { type Channels, type Target } from './channels.js';

/** Minimum number of vehicles with a result: below it, a failure rate means little. */
const DEFAULT_LEAST = 20;

export interface RuleRow extends Pick<NotificationRule, 'name' | 'events' | 'channel' | 'enabled'> {
  readonly id: number;
  readonly shown: string;
  readonly failure_percent: number | null;
  readonly least: number | null;
  readonly created_at: Date;
}

const COLUMNS = 'id, name, events, channel, shown, failure_percent, least, enabled, created_at';

/** @returns errors in a rule that its schema cannot express */
export function ruleErrors(rule: NewNotificationRule, channels: Channels): FieldError[] {
  const { channel, url, to, events, failurePercent, least } = rule;
  const errors: FieldError[] = [];
  const isEmail = channel === 'email';
  if (isEmail && to === undefined) errors.push({ path: '/to', message: 'is missing' });
  if (isEmail && url !== undefined)
    errors.push({ path: '/url', message: 'is not allowed for channel email' });
  if (isEmail && !channels.hasEmail)
    errors.push({ path: '/channel', message: 'needs a server with --smtp-url and --smtp-from' });
  if (!isEmail && to !== undefined)
    errors.push({ path: '/to', message: 'is allowed for channel email only' });
  if (!isEmail) errors.push(...urlErrors(url, channels));
  const hasRate = events.includes('failure-rate');
  if (hasRate && failurePercent === undefined)
    errors.push({ path: '/failurePercent', message: 'is missing: event failure-rate needs it' });
  if (!hasRate && failurePercent !== undefined)
    errors.push({ path: '/failurePercent', message: 'is of event failure-rate only' });
  if (!hasRate && least !== undefined)
    errors.push({ path: '/least', message: 'is of event failure-rate only' });
  return errors;
}

function urlErrors(url: string | undefined, channels: Channels): FieldError[] {
  const message = url === undefined ? 'is missing' : urlFault(url, channels);
  return message === undefined ? [] : [{ path: '/url', message }];
}

function urlFault(url: string, channels: Channels): string | undefined {
  if (!URL.canParse(url)) return 'is not a URL';
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') return 'must not have a user name or password';
  try {
    channels.check(url);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const ownerOf = (name: string) => `notification rule ${name}`;

/** @returns undefined: a rule with this name exists @throws NoSecretKey */
export async function addRule(
  database: Queryable,
  { name, events, channel, url, to, failurePercent, least }: NewNotificationRule,
  box: SecretBox,
  now: number,
): Promise<{ readonly row: RuleRow; readonly secret: string | undefined } | undefined> {
  const secret = channel === 'webhook' ? newSigningSecret() : undefined;
  const target: Target = { url, to, secret };
  const [row] = await database.query<RuleRow>(
    `insert into notification_rules (name, events, channel, shown, sealed, failure_percent, least, created_at)
     values ($1, $2::text[], $3, $4, $5, $6, $7, $8) on conflict (name) do nothing returning ${COLUMNS}`,
    [
      name,
      textArray(events),
      channel,
      shownOf(channel, target),
      box.seal(JSON.stringify(target), ownerOf(name)),
      failurePercent ?? null,
      failurePercent === undefined ? null : (least ?? DEFAULT_LEAST),
      new Date(now),
    ],
  );
  return row && { row, secret };
}

/** Anyone with the address of such a webhook can write to its channel. */
function shownOf(channel: string, { url, to = [] }: Target): string {
  if (channel === 'email') return to.join(', ');
  if (channel === 'webhook') return url ?? '';
  return `${new URL(url ?? '').origin}/…`;
}

/** @throws CannotOpen */
export const targetOf = (name: string, sealed: string, box: SecretBox): Target =>
  JSON.parse(box.open(sealed, ownerOf(name))) as Target;

/** Seals all addresses and secrets with the first key. */
export async function resealRules(database: Database, box: SecretBox): Promise<Resealed> {
  return database.transaction(async (tx) => {
    const rows = await tx.query<{ id: number; name: string; sealed: string }>(
      'select id, name, sealed from notification_rules order by id for update',
    );
    return resealEach(rows, async ({ id, name, sealed }) => {
      const again = resealed(box, sealed, ownerOf(name));
      if (again === sealed) return false;
      await tx.query('update notification_rules set sealed = $2 where id = $1', [id, again]);
      return true;
    });
  });
}

export const listRules = (database: Queryable): Promise<RuleRow[]> =>
  database.query<RuleRow>(`select ${COLUMNS} from notification_rules order by name`);

export async function findRule(database: Queryable, id: string): Promise<RuleRow | undefined> {
  const [row] = await database.query<RuleRow>(
    `select ${COLUMNS} from notification_rules where id = $1::bigint`,
    [id],
  );
  return row;
}

/** Switching a rule off also cancels its pending deliveries. @returns undefined: the rule does not exist */
export async function switchRule(
  database: Queryable,
  id: string,
  enabled: boolean,
): Promise<RuleRow | undefined> {
  const [row] = await database.query<RuleRow>(
    `update notification_rules set enabled = $2 where id = $1::bigint returning ${COLUMNS}`,
    [id, enabled],
  );
  if (row && !enabled) {
    await database.query(
      'update notification_deliveries set due_at = null where rule_id = $1 and due_at is not null',
      [row.id],
    );
  }
  return row;
}

/** @returns whether there was one */
export async function removeRule(database: Queryable, id: string): Promise<boolean> {
  const rows = await database.query(
    'delete from notification_rules where id = $1::bigint returning id',
    [id],
  );
  return rows.length > 0;
}
