/** `/v1.0/vehicles`: the registry VIN → system_id, primary device and model. */
import Type from 'typebox';
import {
  describeRoute,
  empty,
  json,
  linesBody,
  linesIn,
  listCursor,
  page,
  pageOf,
  PageQuery,
  Problem,
  type Server,
  takeLines,
  Time,
  VIN_POSITION,
  VinParams,
  VinPrefix,
} from '../../../service/http/index.js';
import {
  deleteVehicle,
  findVehicle,
  importVehicles,
  listVehicles,
  newCredential,
  Registration,
  registerVehicles,
  type Vehicle,
} from '../../registry/index.js';
import { type HttpContext } from '../context.js';

export const RegisteredVehicle = Type.Object(
  {
    vin: Type.String(),
    system_id: Type.String(),
    device_id: Type.String(),
    ecu_type: Type.String(),
    model: Type.String(),
    registeredAt: Time,
    updatedAt: Time,
  },
  { title: 'RegisteredVehicle' },
);

const NewlyRegistered = Type.Object({
  ...RegisteredVehicle.properties,
  credential: Type.Optional(
    Type.String({
      description:
        'The password that was made for the vehicle, because none was given. It cannot be had again.',
    }),
  ),
});

const ImportAnswer = Type.Object({
  created: Type.Integer(),
  updated: Type.Integer(),
  rejectedCount: Type.Integer(),
  rejected: Type.Array(
    Type.Object({
      line: Type.Integer({ description: 'From 1; the header of a CSV is line 1.' }),
      errorCode: Type.String(),
      errorMessage: Type.String(),
    }),
    { description: 'The first 1,000.' },
  ),
});

type VinOnly = Type.Static<typeof VinParams>;
const ListQuery = Type.Object({ ...PageQuery.properties, vin: Type.Optional(VinPrefix) });
const tags = ['Registry'];
const VEHICLES = listCursor('vehicles', VIN_POSITION);

export function vehicleRoutes(server: Server, context: HttpContext): void {
  const { database } = context;

  server.put<{ Params: VinOnly; Body: Registration }>(
    '/v1.0/vehicles/:vin',
    describeRoute('administer', {
      tags,
      summary: 'Register a vehicle, or change its registration',
      description:
        'A new vehicle without a `credential` gets one, told in the answer and never again. Without a `credential` a known vehicle keeps its own.',
      params: VinParams,
      body: Registration,
      response: {
        200: json(RegisteredVehicle, 'Changed.'),
        201: json(NewlyRegistered, 'Registered.'),
      },
    }),
    async ({ params, body }, reply) => {
      const vin = params.vin.toUpperCase();
      const known = (await findVehicle(database, vin)) !== undefined;
      const credential = known || body.credential !== undefined ? undefined : newCredential();
      const { shard, clock } = context;
      const vehicle = { vin, ...body, ...(credential === undefined ? {} : { credential }) };
      const [result] = await database.transaction((tx) =>
        registerVehicles(tx, shard, [vehicle], clock()),
      );
      if (result?.outcome === 'conflict') {
        const message = `system_id '${body.system_id}' belongs to another vehicle`;
        throw new Problem('SYSTEM_ID_TAKEN', message);
      }
      context.wakeSender();
      const stored = registrationBody(await vehicleOf(context, vin));
      return known
        ? stored
        : reply.code(201).send({ ...stored, ...(credential === undefined ? {} : { credential }) });
    },
  );

  server.get<{ Params: VinOnly }>(
    '/v1.0/vehicles/:vin',
    describeRoute('read', {
      tags,
      summary: 'One vehicle of the registry',
      params: VinParams,
      response: { 200: json(RegisteredVehicle, 'The vehicle.') },
    }),
    async ({ params }) => registrationBody(await vehicleOf(context, params.vin.toUpperCase())),
  );

  server.delete<{ Params: VinOnly }>(
    '/v1.0/vehicles/:vin',
    describeRoute('administer', {
      tags,
      summary: 'Remove a vehicle from the registry',
      description: 'Its operations and their history stay.',
      params: VinParams,
      response: { 204: empty('Removed.') },
    }),
    async ({ params }, reply) => {
      const vin = params.vin.toUpperCase();
      if (!(await deleteVehicle(database, vin))) throw unknownVehicle(vin);
      return reply.code(204).send();
    },
  );

  server.get<{ Querystring: Type.Static<typeof ListQuery> }>(
    '/v1.0/vehicles',
    describeRoute('read', {
      tags,
      summary: 'List the registry in VIN order',
      querystring: ListQuery,
      response: { 200: json(pageOf(RegisteredVehicle), 'A page of vehicles.') },
    }),
    async ({ query: { limit, cursor, vin } }) => {
      const after = VEHICLES.read(cursor) ?? '';
      const prefix = vin?.toUpperCase() ?? '';
      const rows = await listVehicles(database, { after, limit, prefix });
      return page(rows, limit, VEHICLES, ({ vin }) => vin, registrationBody);
    },
  );

  // In a scope of its own: nowhere else is CSV or NDJSON taken, and here nothing else.
  server.register((scope, _options, done) => {
    importRoute(scope, context);
    done();
  });
}

function importRoute(server: Server, context: HttpContext): void {
  takeLines(server);
  server.post(
    '/v1.0/vehicles/import',
    describeRoute('administer', {
      tags,
      summary: 'Import vehicles from CSV or NDJSON',
      description:
        'Streamed, any length, optionally gzip. Columns or fields: vin, system_id, device_id, ecu_type, model, credential. A faulty line is reported and does not stop the others.',
      body: linesBody('A line for each vehicle.'),
      response: { 200: json(ImportAnswer, 'What became of the lines.') },
    }),
    async (request) => {
      const { database, shard, clock } = context;
      const { input, format } = linesIn(request);
      const outcome = await importVehicles(database, shard, input, format, clock);
      context.wakeSender();
      return outcome;
    },
  );
}

async function vehicleOf({ database }: HttpContext, vin: string): Promise<Vehicle> {
  const vehicle = await findVehicle(database, vin);
  if (!vehicle) throw unknownVehicle(vin);
  return vehicle;
}

const unknownVehicle = (vin: string) =>
  new Problem('DEVICE_NOT_FOUND', `the registry does not know vehicle ${vin}`);

export function registrationBody({ registered_at, updated_at, ...vehicle }: Vehicle) {
  return { ...vehicle, registeredAt: registered_at, updatedAt: updated_at };
}
