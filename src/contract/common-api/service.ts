/** Health, metrics and the OpenAPI document; open to all, without data about vehicles. */
import Type from '../typebox.js';
import { json, routesOf, stream } from '../http/index.js';

const Liveness = Type.Object({ status: Type.Enum(['alive']) }, { title: 'Liveness' });
/** Answer of `GET /readyz`: whether the server can work, and each part that it needs. */
export const Readiness = Type.Object(
  {
    status: Type.Enum(['ready', 'not ready']),
    problem: Type.Optional(Type.String({ description: 'Why the server is not ready.' })),
  },
  {
    title: 'Readiness',
    examples: [{ status: 'ready', database: true }],
    additionalProperties: Type.Boolean(),
    description: 'Each required part, and whether it is available.',
  },
);
/** A value that fits the schema {@link Readiness}. */
export type Readiness = Type.Static<typeof Readiness>;

/** Routes for operating a server: liveness, readiness, metrics, and its OpenAPI document. */
export const serviceApi = routesOf('Service', {
  getLiveness: {
    method: 'GET',
    path: '/healthz',
    permission: 'open',
    scope: 'none',
    summary: 'Check that the process is alive',
    description:
      'For liveness probes: it answers while the process runs, even without database or broker.',
    answer: json(Liveness, 'It is alive.'),
  },
  getReadiness: {
    method: 'GET',
    path: '/readyz',
    permission: 'open',
    scope: 'none',
    summary: 'Check whether the server is ready, and which part is missing',
    description: 'For readiness probes and load balancers.',
    answer: json(Readiness, 'It is ready.'),
    otherAnswers: [{ status: 503, description: 'It is not ready.', schema: Readiness }],
  },
  getMetrics: {
    method: 'GET',
    path: '/metrics',
    permission: 'open',
    scope: 'none',
    summary: 'Read the metrics in the Prometheus text format',
    description: 'Counts and durations, without data about individual vehicles.',
    answer: stream('text/plain', 'The metrics.'),
  },
  getOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    permission: 'open',
    scope: 'none',
    summary: 'Read this interface as an OpenAPI 3.1 document',
    description: '`/docs` shows it as a page.',
    answer: json(
      Type.Object(
        {},
        {
          additionalProperties: true,
          examples: [{ openapi: '3.1.0', info: { title: 'OTA Operations', version: '0.1.0' } }],
        },
      ),
      'The document.',
    ),
  },
});
