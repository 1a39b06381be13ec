/** Health, metrics and the documents of both interfaces; open to all, they tell nothing of vehicles. */
import Type from 'typebox';
import { describeRoute, json, type Server } from '../../../service/http/index.js';
import { type HttpContext } from '../context.js';

const Health = Type.Object({ status: Type.String() });
const Readiness = Type.Object({
  status: Type.Enum(['ready', 'not ready']),
  database: Type.Boolean(),
  messageLink: Type.Boolean(),
});
const tags = ['Service'];

export function serviceRoutes(server: Server, context: HttpContext): void {
  server.get(
    '/healthz',
    describeRoute(undefined, {
      tags,
      summary: 'Whether the process lives',
      response: { 200: json(Health, 'It does.') },
    }),
    () => ({ status: 'alive' }),
  );

  server.get(
    '/readyz',
    describeRoute(undefined, {
      tags,
      summary: 'Whether it can work: database and message link',
      response: { 200: json(Readiness, 'It can.'), 503: json(Readiness, 'It cannot.') },
    }),
    async (_request, reply) => {
      const database = await context.database.query('select 1').then(
        () => true,
        () => false,
      );
      const messageLink = context.linkConnected();
      const ready = database && messageLink;
      return reply
        .code(ready ? 200 : 503)
        .send({ status: ready ? 'ready' : 'not ready', database, messageLink });
    },
  );

  server.get(
    '/metrics',
    describeRoute(undefined, {
      tags,
      summary: 'Metrics in the Prometheus text format',
      response: {
        200: {
          description: 'The metrics.',
          content: { 'text/plain': { schema: Type.String() } },
        },
      },
    }),
    async (_request, reply) =>
      reply.type(context.metrics.contentType).send(await context.metrics.render()),
  );

  server.get(
    '/openapi.json',
    describeRoute(undefined, {
      tags,
      summary: 'This interface as an OpenAPI 3.1 document',
      response: { 200: json(Type.Object({}), 'The document.') },
    }),
    () => server.swagger(),
  );

  server.get(
    '/asyncapi.json',
    describeRoute(undefined, {
      tags,
      summary: 'The MQTT interface as an AsyncAPI 3 document',
      response: { 200: json(Type.Object({}), 'The document.') },
    }),
    () => context.asyncApi(),
  );
}
