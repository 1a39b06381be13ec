/** `/v1.0/health`: adapters, database, brokers and call-backs for people; `/metrics` is for machines. */
import Type from '../typebox.js';
import { json, Nullable, routesOf, Time } from '../http/index.js';
import { Receiver } from './receivers.js';

/** Health of one adapter of the group. */
export const AdapterHealth = Type.Object(
  {
    instance: Type.String(),
    version: Type.String(),
    startedAt: Time,
    seenAt: Time,
    alive: Type.Boolean({ description: 'Whether its heartbeat is recent.' }),
    broker: Type.String({ description: 'Address of its broker.' }),
    connected: Type.Boolean({ description: 'Whether it is connected to its broker.' }),
    subscribed: Type.Boolean({ description: 'Whether it receives the vehicles’ messages.' }),
    queued: Type.Integer({ description: 'Number of messages received but not yet stored.' }),
    receivedPerSecond: Type.Number({ description: 'Messages.' }),
    triggeredPerSecond: Type.Number({ description: 'Triggers.' }),
  },
  { title: 'AdapterHealth' },
);
/** A value that fits the schema {@link AdapterHealth}. */
export type AdapterHealth = Type.Static<typeof AdapterHealth>;

const DatabaseHealth = Type.Object(
  {
    server: Type.String({ description: 'Name and version.' }),
    bytes: Type.Integer({ description: 'Size on disk.' }),
    answeredIn: Type.Number({ description: 'ms' }),
  },
  { title: 'DatabaseHealth' },
);

/** Numbers of messages received, by outcome. */
export const MessageTotals = Type.Object(
  {
    received: Type.Integer(),
    applied: Type.Integer(),
    duplicates: Type.Integer(),
    deadLetters: Type.Integer(),
  },
  {
    title: 'MessageTotals',
    description: 'received = applied + duplicates + deadLetters (contract section 5.6).',
  },
);
/** A value that fits the schema {@link MessageTotals}. */
export type MessageTotals = Type.Static<typeof MessageTotals>;

const SendingHealth = Type.Object(
  {
    operations: Type.Integer({ description: 'Operations with triggers to send, now or later.' }),
    overdueSeconds: Type.Number({ description: 'Waiting time of the oldest due trigger.' }),
    triggersPerSecond: Nullable(Type.Number(), 'Global rate limit; null: none.'),
  },
  { title: 'SendingHealth' },
);

/** Health of adapters, brokers, database and call-backs. */
export const Health = Type.Object(
  {
    at: Time,
    database: DatabaseHealth,
    adapters: Type.Array(AdapterHealth),
    messages: MessageTotals,
    sending: SendingHealth,
    callbacks: Type.Array(Receiver),
  },
  { title: 'Health' },
);
/** A value that fits the schema {@link Health}. */
export type Health = Type.Static<typeof Health>;

/** Route of the health. */
export const healthApi = routesOf('Insight', {
  getHealth: {
    method: 'GET',
    path: '/v1.0/health',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get the health of adapters, brokers, database and call-backs',
    answer: json(Health, 'The health of all parts.'),
  },
});
