/** `/v1.0/health`: how adapters, database, brokers and call-backs are, for people; `/metrics` has it for machines. */
import Type from 'typebox';
import { describeRoute, json, Nullable, type Server, Time } from '../../../service/http/index.js';
import { listReceivers } from '../../call-back/index.js';
import { overdueTriggers } from '../../c2d-sender/index.js';
import { listAdapters, PULSE_MS } from '../../group/index.js';
import { messageTotals } from '../../metrics/index.js';
import { type HttpContext } from '../context.js';
import { Callback, callbackBody } from './callbacks.js';

const AdapterBody = Type.Object(
  {
    instance: Type.String(),
    version: Type.String(),
    startedAt: Time,
    seenAt: Time,
    alive: Type.Boolean({ description: 'Whether it has said so lately.' }),
    broker: Type.String({ description: 'Address of its broker.' }),
    connected: Type.Boolean({ description: 'Whether it reaches that.' }),
    subscribed: Type.Boolean({ description: 'Whether it reads what vehicles send.' }),
    waiting: Type.Integer({ description: 'Messages that have arrived and are not stored yet.' }),
    received: Type.Number({ description: 'Messages a second.' }),
    triggered: Type.Number({ description: 'Triggers a second.' }),
  },
  { title: 'AdapterHealth' },
);
const Health = Type.Object(
  {
    at: Time,
    database: Type.Object({
      server: Type.String({ description: 'Name and version.' }),
      bytes: Type.Integer({ description: 'What it takes.' }),
      answeredIn: Type.Number({ description: 'ms' }),
    }),
    adapters: Type.Array(AdapterBody),
    messages: Type.Object({
      received: Type.Integer(),
      applied: Type.Integer(),
      duplicates: Type.Integer(),
      deadLetters: Type.Integer(),
    }),
    sending: Type.Object({
      operations: Type.Integer({ description: 'That have something to send, now or later.' }),
      overdueSeconds: Type.Number({ description: 'How long the oldest due trigger has waited.' }),
      triggersPerSecond: Nullable(Type.Number({ description: 'The limit of all together.' })),
    }),
    callbacks: Type.Array(Callback),
  },
  { title: 'Health' },
);

/** One that has missed so many of its own beats is taken for gone. */
const MISSED = 5;

export function healthRoute(server: Server, { database, clock }: HttpContext): void {
  server.get(
    '/v1.0/health',
    describeRoute('read', {
      tags: ['Insight'],
      summary: 'How adapters, brokers, database and call-backs are',
      response: { 200: json(Health, 'Their health.') },
    }),
    async () => {
      const now = clock();
      const begun = performance.now();
      const [row] = await database.query<{ server: string; bytes: number; rate: number | null }>(
        `select version() as server, pg_database_size(current_database()) as bytes,
           (select trigger_rate from adapter_group) as rate`,
      );
      const answeredIn = performance.now() - begun;
      const { received, applied, duplicates, dead_letters } = await messageTotals(database);
      const { operations, oldest } = await overdueTriggers(database, now);
      return {
        at: new Date(now),
        database: {
          server: (row?.server ?? '').split(' ').slice(0, 2).join(' '),
          bytes: row?.bytes ?? 0,
          answeredIn,
        },
        adapters: (await listAdapters(database, now)).map(
          ({ started_at, seen_at, ...adapter }) => ({
            ...adapter,
            startedAt: started_at,
            seenAt: seen_at,
            alive: now - seen_at.getTime() < MISSED * PULSE_MS,
          }),
        ),
        messages: { received, applied, duplicates, deadLetters: dead_letters },
        sending: {
          operations,
          overdueSeconds: oldest === undefined ? 0 : Math.max(0, now - oldest) / 1000,
          triggersPerSecond: row?.rate ?? null,
        },
        callbacks: (await listReceivers(database)).map(callbackBody),
      };
    },
  );
}
