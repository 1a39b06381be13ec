/** Health, metrics and the OpenAPI document. */
import { type FastifyInstance } from 'fastify';
import { type Readiness, serviceApi } from '../../contract/index.js';
import { serve } from './serve.js';

export interface ServiceContext {
  /** The parts that the server needs, each with the reason why it is unavailable; undefined: available. */
  readonly parts: () => Promise<Readonly<Record<string, string | undefined>>>;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
}

export function serviceRoutes(server: FastifyInstance, { parts, metrics }: ServiceContext): void {
  serve(server, serviceApi.getLiveness, () => ({ status: 'alive' as const }));

  serve(server, serviceApi.getReadiness, async ({ reply }): Promise<Readiness> => {
    const needed = Object.entries(await parts());
    const problems = needed.map(([, problem]) => problem).filter((one) => one !== undefined);
    const there = Object.fromEntries(needed.map(([name, problem]) => [name, !problem]));
    if (problems.length === 0) return { status: 'ready', ...there };
    reply.code(503);
    return { status: 'not ready', ...there, problem: problems.join('; ') };
  });

  serve(server, serviceApi.getMetrics, async ({ reply }) =>
    reply.type(metrics.contentType).send(await metrics.render()),
  );

  serve(server, serviceApi.getOpenApi, () => ({ ...server.swagger() }));
}
