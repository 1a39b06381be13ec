/** Health, metrics and the OpenAPI document; open to all, they tell nothing of vehicles. */
import Type from 'typebox';
import { describeRoute, json } from './route.js';
import { type Server } from './server.js';

export interface ServiceContext {
  /** What it needs to work, and for each part why it is not there, in words; undefined: it is. */
  readonly parts: () => Promise<Readonly<Record<string, string | undefined>>>;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
}

const Health = Type.Object({ status: Type.String() });
const Readiness = Type.Object(
  {
    status: Type.Enum(['ready', 'not ready']),
    problem: Type.Optional(Type.String({ description: 'Why it is not ready.' })),
  },
  { additionalProperties: Type.Boolean(), description: 'Each part, and whether it is there.' },
);
const tags = ['Service'];

export function serviceRoutes(server: Server, { parts, metrics }: ServiceContext): void {
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
      summary: 'Whether it can work, and which part is missing',
      response: { 200: json(Readiness, 'It can.'), 503: json(Readiness, 'It cannot.') },
    }),
    async (_request, reply) => {
      const needed = Object.entries(await parts());
      const problems = needed.map(([, problem]) => problem).filter((one) => one !== undefined);
      const there = Object.fromEntries(needed.map(([name, problem]) => [name, !problem]));
      return problems.length === 0
        ? reply.code(200).send({ status: 'ready', ...there })
        : reply.code(503).send({ status: 'not ready', ...there, problem: problems.join('; ') });
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
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()),
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
}
