/** Analysis of operations and vehicles: summary, timeline, export and search. */
import { Readable } from 'node:stream';
import {
  EXPORT_TYPES,
  insightApi,
  type VehicleInOperation,
} from '../../../contract/adapter-api/index.js';
import {
  listCursor,
  page,
  Problem,
  scopesOf,
  serve,
  type Served,
  type Server,
} from '../../../service/http/index.js';
import {
  findMessage,
  type FoundDelivery,
  type FoundPosition,
  installedVersions,
  searchDeliveries,
  timeline,
} from '../../operations/index.js';
import { findVehicle } from '../../registry/index.js';
import { type HttpContext } from '../context.js';
import { exportDeliveries } from './export.js';
import { deliveryOf, operationWithVehicles, vehicleBody } from './operation-bodies.js';
import { deliveryFilter } from './operations.js';
import { registrationBody } from './registry.js';

const MAX_OPERATIONS = 1_000;
const FOUND = listCursor('vehicles-in-operations', /^[0-9A-Z]{17} [1-9]\d{0,15}$/);

export function insightRoutes(server: Server, context: HttpContext): void {
  operationInsight(server, context);
  vehicleInsight(server, context);
}

/** One operation. */
function operationInsight(server: Server, context: HttpContext): void {
  const { database } = context;

  serve(server, insightApi.getSummary, async ({ request, params }) =>
    context.summaries.of(await operationWithVehicles(context, params['ref-id']), scopesOf(request)),
  );

  serve(server, insightApi.getTimeline, async ({ params }) => {
    const { operation, delivery } = await deliveryOf(context, params);
    return { items: await timeline(database, operation.id, delivery.vin) };
  });

  serve(server, insightApi.exportVehicles, async ({ request, params, query, reply }) => {
    const { format, ...filter } = query;
    const { id, ref_id: refId } = await operationWithVehicles(context, params['ref-id']);
    const rows = exportDeliveries(database, id, deliveryFilter(filter, scopesOf(request)), format);
    const name = encodeURIComponent(`${refId}.${format}`);
    return reply
      .type(`${EXPORT_TYPES[format]}; charset=utf-8`)
      .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
      .send(Readable.from(rows, { objectMode: false }));
  });

  serve(server, insightApi.getMessage, async ({ params }) => {
    const { 'ref-id': refId, message_id: messageId } = params;
    const { id } = await operationWithVehicles(context, refId);
    const of = { operationId: id, refId, vin: params.vin.toUpperCase() };
    const message = await findMessage(database, of, messageId);
    if (!message) throw new Problem('MESSAGE_NOT_FOUND', `there is no message '${messageId}'`);
    return message;
  });
}

/** Vehicles across all operations. */
function vehicleInsight(server: Server, { database }: HttpContext): void {
  serve(server, insightApi.searchVehicles, async ({ request, query }) => {
    const { vin, limit, cursor } = query;
    const after = parseFound(FOUND.read(cursor));
    const rows = await searchDeliveries(database, vin.toUpperCase(), {
      after,
      limit,
      scopes: scopesOf(request),
    });
    return page(rows, limit, FOUND, (row) => `${row.vin} ${row.operation_id}`, foundBody);
  });

  serve(server, insightApi.getVehicle, async ({ request, params }) => {
    const vin = params.vin.toUpperCase();
    const scopes = scopesOf(request);
    const page = { after: undefined, limit: MAX_OPERATIONS, scopes };
    const found = await searchDeliveries(database, vin, page);
    const vehicle = await findVehicle(database, vin);
    if (!vehicle && found.length === 0) {
      const message = `vehicle ${vin} is neither in the registry nor in an operation`;
      throw new Problem('DEVICE_NOT_FOUND', message);
    }
    const installed = await installedVersions(database, vin, scopes);
    return {
      vin,
      registration: vehicle ? registrationBody(vehicle) : null,
      operations: found.map(foundBody),
      installed: installed.map(({ ref_id, ...rest }) => ({ ...rest, 'ref-id': ref_id })),
    };
  });
}

const foundBody = (row: FoundDelivery): Served<VehicleInOperation> => ({
  'ref-id': row.ref_id,
  ...vehicleBody(row),
});

function parseFound(position: string | undefined): FoundPosition | undefined {
  const [vin, id] = position?.split(' ') ?? [];
  return vin === undefined ? undefined : { vin, operationId: Number(id) };
}
