/** `/v1.0/ota/operations`: operations, their vehicles and their progress. */
import { operationApi, type VehicleFilter } from '../../../contract/adapter-api/index.js';
import { type Scopes } from '../../../contract/index.js';
import {
  ID_POSITION,
  listCursor,
  page,
  scopesOf,
  serve,
  type Server,
  VIN_POSITION,
} from '../../../service/http/index.js';
import {
  countDeliveries,
  type DeliveryFilter,
  history,
  listDeliveries,
  listOperations,
  readSamples,
} from '../../operations/index.js';
import { type HttpContext } from '../context.js';
import {
  deliveryOf,
  historyBody,
  operationBody,
  operationOf,
  operationWithVehicles,
  vehicleBody,
} from './operation-bodies.js';

/** The filter of a query. @param scopes of the caller */
export const deliveryFilter = (
  { state, reason, vin, text }: VehicleFilter,
  scopes: Scopes,
): DeliveryFilter => ({
  scopes,
  state,
  reason,
  vinPrefix: vin?.toUpperCase(),
  text: text === '' ? undefined : text,
});

const OPERATIONS = listCursor('operations', ID_POSITION);
const VEHICLES = listCursor('operation-vehicles', VIN_POSITION);

export function operationRoutes(server: Server, context: HttpContext): void {
  const { database } = context;

  serve(server, operationApi.listOperations, async ({ request, query: { limit, cursor } }) => {
    const before = Number(OPERATIONS.read(cursor) ?? Number.MAX_SAFE_INTEGER);
    const rows = await listOperations(database, { before, limit, scopes: scopesOf(request) });
    return page(rows, limit, OPERATIONS, ({ id }) => String(id), operationBody);
  });

  serve(server, operationApi.getOperation, async ({ params }) =>
    operationBody(await operationOf(context, params['ref-id'])),
  );

  serve(server, operationApi.listOperationVehicles, async ({ request, params, query }) => {
    const { limit, cursor, offset, ...filter } = query;
    const { id } = await operationWithVehicles(context, params['ref-id']);
    const after = VEHICLES.read(cursor) ?? '';
    const asked = { after, limit, offset };
    const rows = await listDeliveries(
      database,
      id,
      deliveryFilter(filter, scopesOf(request)),
      asked,
    );
    return page(rows, limit, VEHICLES, ({ vin }) => vin, vehicleBody);
  });

  serve(server, operationApi.countOperationVehicles, async ({ request, params, query }) => {
    const { id } = await operationWithVehicles(context, params['ref-id']);
    return {
      vehicles: await countDeliveries(database, id, deliveryFilter(query, scopesOf(request))),
    };
  });

  serve(server, operationApi.listSamples, async ({ params }) => {
    const { id, progress } = await operationOf(context, params['ref-id']);
    const samples = await readSamples(database, id);
    return { items: [...samples, { at: new Date(context.clock()), states: progress.states }] };
  });

  serve(server, operationApi.getOperationVehicle, async ({ params }) => {
    const { operation, delivery } = await deliveryOf(context, params);
    const entries = await history(database, operation.id, delivery.vin);
    return { ...vehicleBody(delivery), history: entries.map(historyBody) };
  });
}
