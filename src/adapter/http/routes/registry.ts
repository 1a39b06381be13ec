/** `/v1.0/vehicles`: the registry, VIN → system_id, primary device and model. */
import { type RegisteredVehicle, registryApi } from '../../../contract/adapter-api/index.js';
import {
  invalid,
  linesIn,
  listCursor,
  page,
  Problem,
  scopesOf,
  serve,
  type Served,
  type Server,
  VIN_POSITION,
} from '../../../service/http/index.js';
import { recordingFirst, recordRequest } from '../../../service/audit/index.js';
import {
  chosenCredentialFault,
  deleteVehicle,
  findVehicle,
  importVehicles,
  listVehicles,
  newCredential,
  registerVehicles,
  type VehicleRow,
} from '../../registry/index.js';
import { type HttpContext } from '../context.js';
import { unregisteredVehicle } from '../unknown.js';

const VEHICLES = listCursor('vehicles', VIN_POSITION);

export function registryRoutes(server: Server, context: HttpContext): void {
  const { database, shard, clock } = context;

  serve(server, registryApi.registerVehicle, async ({ params, body, reply }) => {
    const vin = params.vin.toUpperCase();
    const fault = chosenCredentialFault({ vin, ...body });
    if (fault !== undefined) throw invalid([{ path: '/credential', message: fault }]);
    const isNew = (await findVehicle(database, vin)) === undefined;
    const credential = isNew && body.credential === undefined ? newCredential() : undefined;
    const made = credential === undefined ? {} : { credential };
    const now = clock();
    await database.transaction(async (tx) => {
      const [result] = await registerVehicles(tx, shard, [{ vin, ...body, ...made }], now);
      if (result?.outcome === 'conflict') {
        const message = `system_id '${body.system_id}' belongs to another vehicle`;
        throw new Problem('SYSTEM_ID_TAKEN', message);
      }
      const { credential: chosen, ...facts } = body;
      const detail = {
        ...facts,
        outcome: result?.outcome,
        credential: (chosen ?? credential) !== undefined,
      };
      await recordRequest(tx, now, { detail });
    });
    context.wakeSender();
    if (isNew) reply.code(201);
    return { ...registrationBody(await vehicleOf(context, vin)), ...made };
  });

  serve(server, registryApi.getRegistration, async ({ params }) =>
    registrationBody(await vehicleOf(context, params.vin.toUpperCase())),
  );

  serve(server, registryApi.deleteRegistration, async ({ params }) => {
    const vin = params.vin.toUpperCase();
    await database.transaction(async (tx) => {
      if (!(await deleteVehicle(tx, vin))) throw unregisteredVehicle(vin);
      await recordRequest(tx, clock());
    });
  });

  serve(server, registryApi.listRegistrations, async ({ request, query }) => {
    const { limit, cursor, vin } = query;
    const after = VEHICLES.read(cursor) ?? '';
    const prefix = vin?.toUpperCase() ?? '';
    const rows = await listVehicles(context.reading, {
      after,
      limit,
      prefix,
      scopes: scopesOf(request),
    });
    return page(rows, limit, VEHICLES, ({ vin }) => vin, registrationBody);
  });

  serve(server, registryApi.importVehicles, async ({ request }) => {
    const { input, format } = linesIn(request);
    const recording = recordingFirst(database, clock);
    const outcome = await importVehicles(recording, shard, input, format, clock);
    const { created, updated, rejectedCount } = outcome;
    await recordRequest(database, clock(), { detail: { created, updated, rejectedCount } });
    context.wakeSender();
    return outcome;
  });
}

async function vehicleOf({ database }: HttpContext, vin: string): Promise<VehicleRow> {
  const vehicle = await findVehicle(database, vin);
  if (!vehicle) throw unregisteredVehicle(vin);
  return vehicle;
}

export const registrationBody = ({
  registered_at,
  updated_at,
  flooded_at,
  ...vehicle
}: VehicleRow): Served<RegisteredVehicle> => ({
  ...vehicle,
  registeredAt: registered_at,
  updatedAt: updated_at,
  floodedAt: flooded_at,
});
