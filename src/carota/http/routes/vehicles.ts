/** `/v1.0/vehicles`: what is known of vehicles, and chosen by. */
import Type from 'typebox';
import {
  describeRoute,
  json,
  linesBody,
  linesIn,
  listCursor,
  notFound,
  page,
  pageOf,
  PageQuery,
  type Server,
  takeLines,
  Time,
  VIN_POSITION,
  VinParams,
} from '../../../service/http/index.js';
import { Text } from '../../../contract/index.js';
import { readVehicleEvents } from '../../events/index.js';
import {
  findVehicle,
  importVehicles,
  listVehicles,
  storeVehicles,
  VehicleFacts,
  type VehicleRow,
} from '../../vehicles/index.js';
import { type CarotaContext } from '../context.js';
import { eventBody, VehicleEvent } from './event-body.js';

const Vehicle = Type.Object(
  {
    vin: Type.String(),
    model: Type.String(),
    tags: Type.Array(Type.String()),
    versions: Type.Record(Type.String(), Type.String(), { description: 'What each ECU runs.' }),
    updatedAt: Time,
  },
  { title: 'Vehicle' },
);
const WholeVehicle = Type.Object({ ...Vehicle.properties, events: Type.Array(VehicleEvent) });
const ListQuery = Type.Object({
  ...PageQuery.properties,
  model: Type.Optional(Text(256, 'Only of this model.')),
  tag: Type.Optional(Text(100, 'Only with this tag.')),
});
const Imported = Type.Object({
  imported: Type.Integer(),
  rejectedCount: Type.Integer(),
  rejected: Type.Array(Type.Object({ line: Type.Integer(), message: Type.String() }), {
    description: 'The first 1,000.',
  }),
});
const tags = ['Vehicles'];
const VEHICLES = listCursor('vehicles', VIN_POSITION);
const MAX_EVENTS = 1_000;

export function vehicleRoutes(server: Server, context: CarotaContext): void {
  const { database, clock } = context;
  server.get<{ Querystring: Type.Static<typeof ListQuery> }>(
    '/v1.0/vehicles',
    describeRoute('read', {
      tags,
      summary: 'List vehicles',
      querystring: ListQuery,
      response: { 200: json(pageOf(Vehicle), 'One page.') },
    }),
    async ({ query: { limit, cursor, ...filter } }) => {
      const after = VEHICLES.read(cursor) ?? '';
      const rows = await listVehicles(database, { after, limit, ...filter });
      return page(rows, limit, VEHICLES, ({ vin }) => vin, vehicleBody);
    },
  );

  server.get<{ Params: { vin: string } }>(
    '/v1.0/vehicles/:vin',
    describeRoute('read', {
      tags,
      summary: 'A vehicle: what it runs, and what happened to it',
      params: VinParams,
      response: { 200: json(WholeVehicle, 'It, newest event first.') },
    }),
    async ({ params }) => {
      const vin = params.vin.toUpperCase();
      const vehicle = await findVehicle(database, vin);
      if (!vehicle) throw notFound('VEHICLE_NOT_FOUND', `vehicle ${vin} is not known`);
      const events = await readVehicleEvents(database, vin, MAX_EVENTS);
      return { ...vehicleBody(vehicle), events: events.map(eventBody) };
    },
  );

  server.put<{ Params: { vin: string }; Body: VehicleFacts }>(
    '/v1.0/vehicles/:vin',
    describeRoute('plan', {
      tags,
      summary: 'Make a vehicle known, or change what is known of it',
      params: VinParams,
      body: VehicleFacts,
      response: { 200: json(Vehicle, 'As it is now.') },
    }),
    async ({ params, body }) => {
      const vin = params.vin.toUpperCase();
      await database.transaction((tx) => storeVehicles(tx, [{ vin, ...body }], clock()));
      const vehicle = await findVehicle(database, vin);
      if (!vehicle) throw notFound('VEHICLE_NOT_FOUND', `vehicle ${vin} is not known`);
      return vehicleBody(vehicle);
    },
  );

  server.register((scope, _options, done) => {
    importRoute(scope, context);
    done();
  });
}

function importRoute(scope: Server, { database, clock }: CarotaContext): void {
  takeLines(scope);
  scope.post(
    '/v1.0/vehicles/import',
    describeRoute('plan', {
      tags,
      summary: 'Import vehicles from CSV or NDJSON',
      description:
        'Streamed, any length, optionally gzip. Columns: vin, model, tags (separated by ;), version:<ecu>. NDJSON has tags as an array and versions as an object. A faulty line is reported and does not stop the others.',
      body: linesBody('A line for each vehicle.'),
      response: { 200: json(Imported, 'What became of the lines.') },
    }),
    async (request) => {
      const { input, format } = linesIn(request);
      return importVehicles(database, input, format, clock);
    },
  );
}

const vehicleBody = ({ updated_at, ...vehicle }: VehicleRow) => ({
  ...vehicle,
  updatedAt: updated_at,
});
