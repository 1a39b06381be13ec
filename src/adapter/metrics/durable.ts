/**
 * Metrics of all adapters on the database: exact after any crash, and the same at each adapter. Aggregate with max over
 * instances, not sum.
 */
import { type MessageTotals } from '../../contract/adapter-api/index.js';
import { listReceivers } from '../call-back/index.js';
import { overdueTriggers } from '../c2d-sender/index.js';
import { subscriptionStatistics } from '../message-link/index.js';
import { type Queryable } from '../../service/database/index.js';
import { countFlooding } from '../d2c-receiver/index.js';
import { countDeadLetters, countOverflow } from '../dead-letters/index.js';
import { counter, gauge, type Sample } from './text-format.js';

/** All four read in one statement (contract section 5.6). */
export async function messageTotals(database: Queryable): Promise<MessageTotals> {
  const [row] = await database.query<MessageTotals>(
    `select coalesce(sum(received), 0)::bigint as received,
       coalesce(sum(applied), 0)::bigint as applied,
       coalesce(sum(duplicates), 0)::bigint as duplicates,
       coalesce(sum(dead_letters), 0)::bigint as "deadLetters"
     from message_totals`,
  );
  return row ?? { received: 0, applied: 0, duplicates: 0, deadLetters: 0 };
}

const ALL = '(all adapters on this database; take the max over instances, not the sum)';

/** Cache TTL of expensive counts. */
const KEEP_MS = 15_000;

export class DurableFigures {
  readonly #database: Queryable;
  readonly #clock: () => number;
  #counted: { text: string; until: number } | undefined;

  constructor(database: Queryable, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** @throws DatabaseError */
  async render(): Promise<string> {
    return [
      messages(await messageTotals(this.#database)),
      await subscription(this.#database),
      await callBack(this.#database, this.#clock()),
      await this.#counts(),
    ].join('');
  }

  async #counts(): Promise<string> {
    if (this.#counted && performance.now() < this.#counted.until) return this.#counted.text;
    const text = [
      await vehicles(this.#database),
      await deadLetters(this.#database, this.#clock()),
      await sending(this.#database, this.#clock()),
    ].join('');
    this.#counted = { text, until: performance.now() + KEEP_MS };
    return text;
  }
}

function messages(totals: MessageTotals): string {
  return [
    counter('otaops_messages_received_total', `Messages from vehicles ${ALL}.`, totals.received),
    counter('otaops_messages_applied_total', `Messages applied ${ALL}.`, totals.applied),
    counter(
      'otaops_messages_duplicate_total',
      `Messages recognised as duplicates ${ALL}.`,
      totals.duplicates,
    ),
    counter(
      'otaops_messages_dead_letter_total',
      `Messages kept as dead letters ${ALL}.`,
      totals.deadLetters,
    ),
  ].join('');
}

async function subscription(database: Queryable): Promise<string> {
  const { takeovers, conflicts, sessionsLost } = await subscriptionStatistics(database);
  return [
    counter(
      'otaops_subscription_takeovers_total',
      `How often another adapter has taken over the subscription ${ALL}.`,
      takeovers,
    ),
    counter(
      'otaops_session_conflicts_total',
      `How often another system was found to use this system's MQTT session ${ALL}.`,
      conflicts,
    ),
    counter(
      'otaops_sessions_lost_total',
      `How often the MQTT broker had lost this system's session ${ALL}.`,
      sessionsLost,
    ),
  ].join('');
}

async function callBack(database: Queryable, now: number): Promise<string> {
  const receivers = (await listReceivers(database)).filter(({ enabled }) => enabled);
  const each = (value: (receiver: (typeof receivers)[number]) => number): Sample[] =>
    receivers.map((receiver) => ({
      labels: { receiver: receiver.name },
      value: value(receiver),
    }));
  return [
    gauge(
      'otaops_callback_lag_events',
      `Events not yet delivered to a receiver ${ALL}.`,
      each(({ behind }) => behind),
    ),
    gauge(
      'otaops_callback_lag_seconds',
      `Age of the oldest of them ${ALL}.`,
      each(({ behind_since: since }) => (since ? Math.max(0, now - since.getTime()) / 1000 : 0)),
    ),
    gauge(
      'otaops_callback_failures',
      `Failed attempts of a receiver's current batch ${ALL}.`,
      each(({ failures }) => failures),
    ),
  ].join('');
}

async function vehicles(database: Queryable): Promise<string> {
  const rows = await database.query<{ state: string; vehicles: number }>(
    `select c.state, sum(c.vehicles)::bigint as vehicles from operation_counters c
     join operations o on o.id = c.operation_id
     where o.status <> 'cancelled' group by c.state order by c.state`,
  );
  return gauge(
    'otaops_vehicles',
    `Vehicles in operations that are not cancelled, by state ${ALL}.`,
    rows.map(({ state, vehicles: value }) => ({ labels: { state }, value })),
  );
}

/** A vehicle is counted as flooding for this time, ms. */
const FLOOD_MS = 10 * 60 * 1000;

async function deadLetters(database: Queryable, now: number): Promise<string> {
  const rows = await countDeadLetters(database);
  const { messages, senders } = await countOverflow(database);
  return [
    gauge(
      'otaops_dead_letters',
      `Dead letters not replayed yet, by reason ${ALL}.`,
      rows.map(({ reason, count: value }) => ({ labels: { reason }, value })),
    ),
    gauge(
      'otaops_dead_letters_not_kept',
      `Dead letters beyond a limit, which are only counted ${ALL}.`,
      messages,
    ),
    gauge(
      'otaops_dead_letter_flooders',
      `Vehicles that have sent more dead letters than are kept of one ${ALL}.`,
      senders,
    ),
    gauge(
      'otaops_flooding_vehicles',
      `Vehicles that sent more messages than their budget in the last 10 minutes ${ALL}.`,
      await countFlooding(database, now - FLOOD_MS),
    ),
  ].join('');
}

async function sending(database: Queryable, now: number): Promise<string> {
  const { operations, oldest } = await overdueTriggers(database, now);
  return [
    gauge(
      'otaops_trigger_overdue_seconds',
      `For how long the oldest due trigger has been due ${ALL}.`,
      oldest === undefined ? 0 : Math.max(0, now - oldest) / 1000,
    ),
    gauge(
      'otaops_sending_operations',
      `Operations with triggers to send, now or later ${ALL}.`,
      operations,
    ),
  ].join('');
}
