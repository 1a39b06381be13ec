/** `/v1.0/vehicles`: the vehicles that schedules select from. */
import {
  CAROTA_GRANTS,
  MAX_EVENTS,
  type Vehicle,
  vehicleApi,
} from '../../../contract/carota-api/index.js';
import { type FastifyRequest } from 'fastify';
import { mayDo } from '../../../service/access/index.js';
import { DatabaseError } from '../../../service/database/index.js';
import {
  actorOf,
  callerOf,
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
import { readVehicleEvents } from '../../events/index.js';
import { recordingFirst, recordRequest } from '../../../service/audit/index.js';
import { eraseVehicle, VehicleInSchedule } from '../../pseudonyms/index.js';
import {
  findVehicle,
  importVehicles,
  listVehicles,
  storeVehicles,
  SystemIdForbidden,
  type VehicleRow,
} from '../../vehicles/index.js';
import { type CarotaContext } from '../context.js';
import { unknownVehicle } from '../unknown.js';
import { eventBody } from './event-body.js';

/** unique_violation (PostgreSQL appendix A). */
const UNIQUE_VIOLATION = '23505';

const VEHICLES = listCursor('vehicles', VIN_POSITION);

export function vehicleRoutes(server: Server, context: CarotaContext): void {
  const { database, reading, clock } = context;

  serve(server, vehicleApi.listVehicles, async ({ request, query }) => {
    const { limit, cursor, ...filter } = query;
    const after = VEHICLES.read(cursor) ?? '';
    const rows = await listVehicles(reading, {
      after,
      limit,
      ...filter,
      scopes: scopesOf(request),
    });
    return page(rows, limit, VEHICLES, ({ vin }) => vin, vehicleBody);
  });

  serve(server, vehicleApi.getVehicle, async ({ request, params }) => {
    const vehicle = await vehicleOf(context, params.vin);
    const events = await readVehicleEvents(reading, vehicle.vin, MAX_EVENTS, {
      scopes: scopesOf(request),
    });
    return { ...vehicleBody(vehicle), events: events.map(eventBody) };
  });

  serve(server, vehicleApi.putVehicle, async ({ request, params, body }) => {
    const vin = params.vin.toUpperCase();
    const now = clock();
    try {
      await database.transaction(async (tx) => {
        await storeVehicles(tx, [{ vin, ...body }], storingFor(request), now);
        await recordRequest(tx, now, { detail: body });
      });
    } catch (error) {
      if (error instanceof SystemIdForbidden) throw new Problem('FORBIDDEN', error.message);
      if (!(error instanceof DatabaseError && error.code === UNIQUE_VIOLATION)) throw error;
      const message = `system_id '${body.system_id}' belongs to another vehicle`;
      throw new Problem('SYSTEM_ID_TAKEN', message);
    }
    return vehicleBody(await vehicleOf(context, vin));
  });

  serve(server, vehicleApi.eraseVehicle, async ({ request, params }) => {
    const vin = params.vin.toUpperCase();
    const isErased = await eraseVehicle(database, vin, actorOf(request), clock()).catch(
      (error: unknown) => {
        if (error instanceof VehicleInSchedule) throw new Problem('SCHEDULE_STATUS', error.message);
        throw error;
      },
    );
    if (!isErased) throw unknownVehicle(vin);
  });

  serve(server, vehicleApi.importVehicles, async ({ request }) => {
    const { input, format } = linesIn(request);
    const recording = recordingFirst(database, clock);
    const into = { database: recording, clock, ...storingFor(request) };
    const outcome = await importVehicles(into, input, format);
    const { imported, rejectedCount } = outcome;
    await recordRequest(database, clock(), { detail: { imported, rejectedCount } });
    return outcome;
  });
}

/** Changes of a vehicle's trust are reserved for administrators. */
const storingFor = (request: FastifyRequest) => ({
  by: actorOf(request),
  mayAssignSystemIds: mayDo(CAROTA_GRANTS, callerOf(request).role, 'administer'),
});

async function vehicleOf({ database }: CarotaContext, given: string): Promise<VehicleRow> {
  const vin = given.toUpperCase();
  const vehicle = await findVehicle(database, vin);
  if (!vehicle) throw unknownVehicle(vin);
  return vehicle;
}

const vehicleBody = ({ updated_at, ...vehicle }: VehicleRow): Served<Vehicle> => ({
  ...vehicle,
  updatedAt: updated_at,
});
