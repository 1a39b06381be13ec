/** The HTTP interface of the CarOTA Server. */
import {
  CAROTA_GRANTS,
  carotaDocument,
  carotaLiveApi,
  carotaSessionApi,
  carotaTokenApi,
} from '../../contract/carota-api/index.js';
import { problemOf } from '../../service/database/index.js';
import {
  auditRoutes,
  certificateRoutes,
  createServer,
  liveRoute,
  type Server,
  serviceRoutes,
  tokenRoutes,
} from '../../service/http/index.js';
import { lookAt } from '../live/look.js';
import { type CarotaContext } from './context.js';
import { carotaScopes } from './scope.js';
import { artifactRoutes } from './routes/artifacts.js';
import { callBackRoute } from './routes/call-back.js';
import { directorRoutes } from './routes/director.js';
import { dossierRoute } from './routes/dossier.js';
import { ecuRoutes } from './routes/ecus.js';
import { enrolmentRoutes } from './routes/enrolment.js';
import { imageRepositoryRoutes } from './routes/image-repository.js';
import { notificationRoutes } from './routes/notifications.js';
import { refusedEventRoutes } from './routes/refused-events.js';
import { scheduleComparisonRoutes } from './routes/schedule-comparison.js';
import { scheduleRoutes } from './routes/schedules.js';
import { scheduleVehicleRoutes } from './routes/schedule-vehicles.js';
import { scriptRoutes } from './routes/scripts.js';
import { vehicleTimelineRoute } from './routes/vehicle-timeline.js';
import { vehicleRoutes } from './routes/vehicles.js';

export async function createCarotaServer(context: CarotaContext): Promise<Server> {
  const { database, metrics, version } = context;
  const server = await createServer({
    database,
    clock: context.clock,
    log: context.log,
    grants: CAROTA_GRANTS,
    name: 'carota',
    sessionApi: carotaSessionApi,
    facts: { approval: context.approval },
    version,
    document: () => carotaDocument(version),
    onAnswered: (method, route, status) => metrics.requestAnswered(method, route, status),
    limits: context.limits,
    vehicles: context.vehicles,
    certificate: context.certificate,
    hstsSeconds: context.hstsSeconds,
    signOn: context.signOn,
    signIns: context.signIns,
    attempts: context.attempts,
    scopes: carotaScopes(database),
    onRefused: (limit) => metrics.limitRefused(limit),
    onRefusedValue: (route, sqlState) => metrics.valueRefused(route, sqlState),
  });
  artifactRoutes(server, context);
  scriptRoutes(server, context);
  scheduleRoutes(server, context);
  scheduleComparisonRoutes(server, context);
  scheduleVehicleRoutes(server, context);
  dossierRoute(server, context);
  vehicleRoutes(server, context);
  vehicleTimelineRoute(server, context);
  enrolmentRoutes(server, context);
  ecuRoutes(server, context);
  directorRoutes(server, context);
  imageRepositoryRoutes(server, context);
  auditRoutes(server, 'carota', context);
  callBackRoute(server, context);
  refusedEventRoutes(server, context);
  certificateRoutes(server, context);
  notificationRoutes(server, context);
  liveRoute(server, carotaLiveApi, {
    ...context,
    look: lookAt(context.reading, [context.images, context.director]),
  });
  tokenRoutes(server, carotaTokenApi, context);
  serviceRoutes(server, {
    metrics,
    parts: async () => ({ database: await problemOf(database) }),
  });
  await server.ready();
  return server;
}
