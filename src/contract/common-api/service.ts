/** Health, metrics and the OpenAPI document; open to all, they tell nothing of vehicles. */
import Type from '../typebox.js';
import { json, routesOf, stream } from '../http/index.js';

const Liveness = Type.Object({ status: Type.Enum(['alive']) }, { title: 'Liveness' });
/** Answer of `GET /readyz`: whether the server can work, and each part that it needs. */
export const Readiness = Type.Object(
  {
    status: Type.Enum(['ready', 'not ready']),
    problem: Type.Optional(Type.String({ description: 'Why it is not ready.' })),
  },
  {
    title: 'Readiness',
    additionalProperties: Type.Boolean(),
    description: 'Each part that the server needs, and whether it is there.',
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
    summary: 'Tell whether the process lives',
    answer: json(Liveness, 'It does.'),
  },
  getReadiness: {
    method: 'GET',
    path: '/readyz',
    permission: 'open',
    scope: 'none',
    summary: 'Tell whether it can work, and which part is missing',
    answer: json(Readiness, 'It can.'),
    otherAnswers: [{ status: 503, description: 'It cannot.', schema: Readiness }],
  },
  getMetrics: {
    method: 'GET',
    path: '/metrics',
    permission: 'open',
    scope: 'none',
    summary: 'Read the metrics in the Prometheus text format',
    answer: stream('text/plain', 'The metrics.'),
  },
  getOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    permission: 'open',
    scope: 'none',
    summary: 'Read this interface as an OpenAPI 3.1 document',
    answer: json(Type.Object({}, { additionalProperties: true }), 'The document.'),
  },
});
