/** The HTTP interface of the OTA Adapter (contract section 4). */
import { type Logger } from 'pino';
import {
  adapterDocument,
  GRANTS,
  liveApi,
  sessionApi,
  tokenApi,
} from '../../contract/adapter-api/index.js';
import {
  auditRoutes,
  certificateRoutes,
  createServer,
  liveRoute,
  type Server,
  tokenRoutes,
} from '../../service/http/index.js';
import { lookAt } from '../live/look.js';
import { type HttpContext } from './context.js';
import { adapterScopes } from './scope.js';
import { operationAuditRoutes } from './routes/audit.js';
import { controlRoutes } from './routes/control.js';
import { deadLetterRoutes } from './routes/dead-letters.js';
import { dispatchRoutes } from './routes/dispatch.js';
import { eventRoutes } from './routes/events.js';
import { healthRoute } from './routes/health.js';
import { insightRoutes } from './routes/insight.js';
import { operationRoutes } from './routes/operations.js';
import { receiverRoutes } from './routes/receivers.js';
import { registryRoutes } from './routes/registry.js';
import { adapterServiceRoutes } from './routes/service.js';
import { triggerRoute } from './routes/trigger.js';

export async function createHttpServer(context: HttpContext, log: Logger): Promise<Server> {
  const server = await createServer({
    database: context.database,
    clock: context.clock,
    log,
    grants: GRANTS,
    name: 'adapter',
    sessionApi,
    version: context.version,
    document: () => adapterDocument(context.version),
    onAnswered: (method, route, status) => context.metrics.requestAnswered(method, route, status),
    limits: context.limits,
    certificate: context.certificate,
    hstsSeconds: context.hstsSeconds,
    signOn: context.signOn,
    signIns: context.signIns,
    attempts: context.attempts,
    scopes: adapterScopes(context.database),
    onRefused: (limit) => context.metrics.refused(limit),
    onRefusedValue: (route, sqlState) => context.metrics.valueRefused(route, sqlState),
  });
  const reading = { ...context, database: context.reading };
  triggerRoute(server, context);
  operationRoutes(server, reading);
  controlRoutes(server, context);
  dispatchRoutes(server, context);
  insightRoutes(server, reading);
  operationAuditRoutes(server, reading);
  auditRoutes(server, 'adapter', context);
  healthRoute(server, reading);
  liveRoute(server, liveApi, { ...context, look: lookAt(context.reading) });
  eventRoutes(server, reading);
  receiverRoutes(server, context);
  registryRoutes(server, context);
  certificateRoutes(server, context);
  deadLetterRoutes(server, context);
  tokenRoutes(server, tokenApi, context);
  adapterServiceRoutes(server, context);
  await server.ready();
  return server;
}
