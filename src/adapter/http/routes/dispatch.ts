/** `/v1.0/dispatch`: how fast all adapters on this database together send triggers. */
import Type from 'typebox';
import { describeRoute, json, Nullable, Reason, type Server } from '../../../service/http/index.js';
import { recordAction } from '../../audit/index.js';
import { groupRate, setGroupRate } from '../../c2d-sender/index.js';
import { actorOf, type HttpContext } from '../context.js';

const Rate = Nullable(
  Type.Number({
    exclusiveMinimum: 0,
    maximum: 1_000_000,
    description: 'Triggers a second; null: no limit.',
  }),
);
const Dispatch = Type.Object({ triggersPerSecond: Rate }, { title: 'Dispatch' });
const Change = Type.Object(
  { triggersPerSecond: Rate, reason: Type.Optional(Reason) },
  { additionalProperties: false },
);
const tags = ['Control'];

export function dispatchRoutes(server: Server, context: HttpContext): void {
  const { database, clock, log } = context;

  server.get(
    '/v1.0/dispatch',
    describeRoute('read', {
      tags,
      summary: 'The limit of all adapters together',
      response: { 200: json(Dispatch, 'The limit.') },
    }),
    async () => ({ triggersPerSecond: await groupRate(database) }),
  );

  server.put<{ Body: Type.Static<typeof Change> }>(
    '/v1.0/dispatch',
    describeRoute('control', {
      tags,
      summary: 'Change the limit; takes effect with the next triggers',
      body: Change,
      response: { 200: json(Dispatch, 'The limit.') },
    }),
    async (request) => {
      const { triggersPerSecond, reason } = request.body;
      const by = actorOf(request, reason);
      const now = clock();
      await database.transaction(async (tx) => {
        const before = await setGroupRate(tx, triggersPerSecond);
        await recordAction(tx, by, now, 'change-rate', { detail: { before, triggersPerSecond } });
      });
      log.info({ triggersPerSecond, by: by.name }, 'limit of the adapter group changed');
      context.wakeSender();
      return { triggersPerSecond };
    },
  );
}
