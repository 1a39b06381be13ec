/** The HTTP interface of the CarOTA Server. */
import { isReachable } from '../../service/database/index.js';
import {
  createServer,
  liveRoute,
  type Server,
  serviceRoutes,
  tokenRoutes,
} from '../../service/http/index.js';
import { CAROTA_GRANTS, CAROTA_ROLES } from '../access.js';
import { lookAt } from '../live/look.js';
import { type CarotaContext } from './context.js';
import { artifactRoutes } from './routes/artifacts.js';
import { callBackRoute } from './routes/call-back.js';
import { refusedEventRoutes } from './routes/refused-events.js';
import { scheduleRoutes } from './routes/schedules.js';
import { scriptRoutes } from './routes/scripts.js';
import { vehicleRoutes } from './routes/vehicles.js';

const TAGS = [
  'Artifacts',
  'Update scripts',
  'Schedules',
  'Vehicles',
  'Call-back',
  'Refused events',
  'Tokens',
];

export async function createCarotaServer(context: CarotaContext): Promise<Server> {
  const { database, metrics } = context;
  const server = await createServer({
    database,
    log: context.log,
    grants: CAROTA_GRANTS,
    name: 'carota',
    title: 'OTA Operations: CarOTA Server',
    facts: { approval: context.approval },
    description: 'Plans update campaigns: artifacts, update scripts, schedules.',
    version: context.version,
    tags: TAGS,
    onAnswered: (method, route, status) => metrics.requestAnswered(method, route, status),
    onRefusedValue: (route, sqlState) => metrics.valueRefused(route, sqlState),
  });
  artifactRoutes(server, context);
  scriptRoutes(server, context);
  scheduleRoutes(server, context);
  vehicleRoutes(server, context);
  callBackRoute(server, context);
  refusedEventRoutes(server, context);
  liveRoute(server, { ...context, look: lookAt(database), kinds: ['schedule'] });
  tokenRoutes(server, { ...context, roles: CAROTA_ROLES });
  serviceRoutes(server, {
    metrics,
    parts: async () => ({ database: await isReachable(database) }),
  });
  await server.ready();
  return server;
}
