/** `/v1.0/ota/operations`: where operations and their vehicles stand. */
import Type from 'typebox';
import {
  badCursor,
  describeRoute,
  json,
  page,
  pageOf,
  PageQuery,
  positionOf,
  RefIdParams,
  RefIdVinParams,
  type Server,
  VinPrefix,
} from '../../../service/http/index.js';
import { history, listDeliveries, listOperations } from '../../operations/index.js';
import { type HttpContext } from '../context.js';
import {
  deliveryOf,
  historyBody,
  Operation,
  operationBody,
  operationOf,
  vehicleBody,
  VehicleState,
  VehicleWithHistory,
} from './operation-bodies.js';

export const VehicleFilter = Type.Object({
  state: Type.Optional(Type.String({ description: 'Only vehicles in this state.' })),
  reason: Type.Optional(Type.String({ description: 'Only with this reason, as it was given.' })),
  vin: Type.Optional(VinPrefix),
});
const VehiclesQuery = Type.Object({ ...PageQuery.properties, ...VehicleFilter.properties });

type Page = Type.Static<typeof PageQuery>;
type RefId = Type.Static<typeof RefIdParams>;
type RefIdVin = Type.Static<typeof RefIdVinParams>;
const tags = ['Operations'];

export function operationRoutes(server: Server, context: HttpContext): void {
  const { database } = context;

  server.get<{ Querystring: Page }>(
    '/v1.0/ota/operations',
    describeRoute('read', {
      tags,
      summary: 'List operations, newest first',
      querystring: PageQuery,
      response: { 200: json(pageOf(Operation), 'A page of operations.') },
    }),
    async ({ query: { limit, cursor } }) => {
      const before = Number(positionOf(cursor) ?? Number.MAX_SAFE_INTEGER);
      if (!Number.isSafeInteger(before)) throw badCursor();
      const rows = await listOperations(database, { before, limit });
      return page(rows, limit, ({ id }) => String(id), operationBody);
    },
  );

  server.get<{ Params: RefId }>(
    '/v1.0/ota/operations/:refId',
    describeRoute('read', {
      tags,
      summary: 'Progress of one operation',
      params: RefIdParams,
      response: { 200: json(Operation, 'The operation.') },
    }),
    async ({ params }) => operationBody(await operationOf(context, params.refId)),
  );

  server.get<{ Params: RefId; Querystring: Type.Static<typeof VehiclesQuery> }>(
    '/v1.0/ota/operations/:refId/vehicles',
    describeRoute('read', {
      tags,
      summary: 'List an operation’s vehicles in VIN order',
      params: RefIdParams,
      querystring: VehiclesQuery,
      response: { 200: json(pageOf(VehicleState), 'A page of vehicles.') },
    }),
    async ({ params, query: { limit, cursor, state, reason, vin } }) => {
      const { id } = await operationOf(context, params.refId);
      const after = positionOf(cursor) ?? '';
      const filter = { state, reason, vinPrefix: vin?.toUpperCase() };
      const rows = await listDeliveries(database, id, filter, { after, limit });
      return page(rows, limit, (row) => row.vin, vehicleBody);
    },
  );

  server.get<{ Params: RefIdVin }>(
    '/v1.0/ota/operations/:refId/vehicles/:vin',
    describeRoute('read', {
      tags,
      summary: 'State and full history of one vehicle',
      params: RefIdVinParams,
      response: { 200: json(VehicleWithHistory, 'The vehicle in this operation.') },
    }),
    async ({ params }) => {
      const { operation, delivery } = await deliveryOf(context, params);
      const entries = await history(database, operation.id, delivery.vin);
      return { ...vehicleBody(delivery), history: entries.map(historyBody) };
    },
  );
}
