/** The HTTP interface of the OTA Adapter (contract section 4). */
import { type Logger } from 'pino';
import { createServer, liveRoute, type Server, tokenRoutes } from '../../service/http/index.js';
import { GRANTS, ROLES } from '../access.js';
import { CallbackMessage } from '../../contract/index.js';
import { lookAt } from '../live/look.js';
import { type HttpContext } from './context.js';
import { auditRoutes } from './routes/audit.js';
import { callbackRoutes } from './routes/callbacks.js';
import { controlRoutes } from './routes/control.js';
import { deadLetterRoutes } from './routes/dead-letters.js';
import { dispatchRoutes } from './routes/dispatch.js';
import { healthRoute } from './routes/health.js';
import { eventRoutes } from './routes/events.js';
import { insightRoutes } from './routes/insight.js';
import { operationRoutes } from './routes/operations.js';
import { adapterServiceRoutes } from './routes/service.js';
import { triggerRoute } from './routes/trigger.js';
import { vehicleRoutes } from './routes/vehicles.js';

const TAGS = [
  'Trigger',
  'Operations',
  'Control',
  'Insight',
  'Events',
  'Call-back',
  'Registry',
  'Dead letters',
  'Tokens',
];

/** What receivers are posted (contract section 6), for the OpenAPI document. */
const CALL_BACK = {
  tags: ['Call-back'],
  summary: 'Events, posted to each receiver in order, at least once',
  description:
    'Signed by Standard Webhooks: webhook-id (the same for each try of a batch), webhook-timestamp, webhook-signature. A 2xx answer settles the batch.',
  requestBody: { content: { 'application/json': { schema: CallbackMessage } } },
  responses: { '2XX': { description: 'The batch is settled.' } },
};

export async function createHttpServer(context: HttpContext, log: Logger): Promise<Server> {
  const server = await createServer({
    database: context.database,
    log,
    grants: GRANTS,
    name: 'adapter',
    title: 'OTA Operations: OTA Adapter',
    description: 'Triggers over-the-air updates and tells where each vehicle stands.',
    version: context.version,
    tags: TAGS,
    webhooks: { events: { post: CALL_BACK } },
    onAnswered: (method, route, status) => context.metrics.requestAnswered(method, route, status),
    onRefusedValue: (route, sqlState) => context.metrics.valueRefused(route, sqlState),
  });
  triggerRoute(server, context);
  operationRoutes(server, context);
  controlRoutes(server, context);
  insightRoutes(server, context);
  auditRoutes(server, context);
  healthRoute(server, context);
  liveRoute(server, {
    ...context,
    look: lookAt(context.database),
    kinds: ['operation', 'samples', 'vehicle'],
  });
  eventRoutes(server, context);
  callbackRoutes(server, context);
  dispatchRoutes(server, context);
  vehicleRoutes(server, context);
  deadLetterRoutes(server, context);
  tokenRoutes(server, { ...context, roles: ROLES });
  adapterServiceRoutes(server, context);
  await server.ready();
  return server;
}
