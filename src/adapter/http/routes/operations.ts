/** `/v1.0/ota/operations`: where operations and their vehicles stand. */
import Type from 'typebox';
import {
  describeRoute,
  ID_POSITION,
  json,
  listCursor,
  page,
  pageOf,
  PageQuery,
  RefIdParams,
  RefIdVinParams,
  type Server,
  Time,
  VIN_POSITION,
  VinPrefix,
} from '../../../service/http/index.js';
import { Text } from '../../../contract/index.js';
import {
  countDeliveries,
  type DeliveryFilter,
  history,
  listDeliveries,
  listOperations,
  readSamples,
} from '../../operations/index.js';
import { StateName, VEHICLE_STATES } from '../../../contract/index.js';
import { type HttpContext } from '../context.js';
import {
  deliveryOf,
  historyBody,
  Operation,
  operationBody,
  operationOf,
  operationWithVehicles,
  vehicleBody,
  VehicleState,
  VehicleWithHistory,
} from './operation-bodies.js';

export const VehicleFilter = Type.Object({
  state: Type.Optional(
    StateName(VEHICLE_STATES, 'Only vehicles in this state; unknown: in any unknown(<number>).'),
  ),
  reason: Type.Optional(Text(1_000, 'Only with this reason, as it was given.')),
  vin: Type.Optional(VinPrefix),
  text: Type.Optional(Text(100, 'Only with it in the VIN or in the reason.')),
});
const VehiclesQuery = Type.Object({
  ...PageQuery.properties,
  offset: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'Begins so many vehicles later: for tables that are scrolled.',
  }),
  ...VehicleFilter.properties,
});
const Count = Type.Object({ vehicles: Type.Integer() });
const SampleBody = Type.Object(
  { at: Time, states: Type.Record(Type.String(), Type.Integer()) },
  { title: 'Sample' },
);

/** Of the query, as the database is asked. */
export const deliveryFilter = ({
  state,
  reason,
  vin,
  text,
}: Type.Static<typeof VehicleFilter>): DeliveryFilter => ({
  state,
  reason,
  vinPrefix: vin?.toUpperCase(),
  text: text === '' ? undefined : text,
});

type Page = Type.Static<typeof PageQuery>;
type RefId = Type.Static<typeof RefIdParams>;
type RefIdVin = Type.Static<typeof RefIdVinParams>;
const tags = ['Operations'];
const OPERATIONS = listCursor('operations', ID_POSITION);
const VEHICLES = listCursor('operation-vehicles', VIN_POSITION);

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
      const before = Number(OPERATIONS.read(cursor) ?? Number.MAX_SAFE_INTEGER);
      const rows = await listOperations(database, { before, limit });
      return page(rows, limit, OPERATIONS, ({ id }) => String(id), operationBody);
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
    async ({ params, query: { limit, cursor, offset, ...query } }) => {
      const { id } = await operationWithVehicles(context, params.refId);
      const after = VEHICLES.read(cursor) ?? '';
      const filter = deliveryFilter(query);
      const rows = await listDeliveries(database, id, filter, { after, limit, offset });
      return page(rows, limit, VEHICLES, (row) => row.vin, vehicleBody);
    },
  );

  server.get<{ Params: RefId; Querystring: Type.Static<typeof VehicleFilter> }>(
    '/v1.0/ota/operations/:refId/vehicle-count',
    describeRoute('read', {
      tags,
      summary: 'How many of an operation’s vehicles match',
      params: RefIdParams,
      querystring: VehicleFilter,
      response: { 200: json(Count, 'Their number.') },
    }),
    async ({ params, query }) => {
      const { id } = await operationWithVehicles(context, params.refId);
      return { vehicles: await countDeliveries(database, id, deliveryFilter(query)) };
    },
  );

  server.get<{ Params: RefId }>(
    '/v1.0/ota/operations/:refId/samples',
    describeRoute('read', {
      tags,
      summary: 'How many vehicles were in each state, over time',
      description:
        'Taken while they change, every two seconds at first and seldom when it is old; at most about 600 are told. The last is of now.',
      params: RefIdParams,
      response: { 200: json(Type.Object({ items: Type.Array(SampleBody) }), 'Oldest first.') },
    }),
    async ({ params }) => {
      const { id, progress } = await operationOf(context, params.refId);
      const samples = await readSamples(database, id);
      return { items: [...samples, { at: new Date(context.clock()), states: progress.states }] };
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
