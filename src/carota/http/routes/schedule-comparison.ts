/** `/v1.0/schedules/{ref-id}/comparison`: differences from the last campaign. */
import { scheduleComparisonApi } from '../../../contract/carota-api/index.js';
import { listCursor, page, serve, type Server } from '../../../service/http/index.js';
import { compareSchedule, listComparedVehicles } from '../../schedules/index.js';
import { type CarotaContext } from '../context.js';
import { LISTED_VEHICLE, scheduleOf } from './schedule-bodies.js';

const VEHICLES = listCursor('compared-vehicles', LISTED_VEHICLE);

export function scheduleComparisonRoutes(server: Server, context: CarotaContext): void {
  const { reading } = context;

  serve(server, scheduleComparisonApi.compareSchedule, async ({ params }) => {
    const { id } = await scheduleOf(context, params['ref-id']);
    return reading.transaction(async (tx) => {
      await tx.script('set transaction isolation level repeatable read, read only');
      return compareSchedule(tx, id);
    });
  });

  serve(server, scheduleComparisonApi.listComparedVehicles, async ({ params, query }) => {
    const { limit, cursor, only } = query;
    const { id } = await scheduleOf(context, params['ref-id']);
    const after = VEHICLES.read(cursor) ?? '';
    const rows = await listComparedVehicles(reading, id, { only, after, limit });
    return page(
      rows,
      limit,
      VEHICLES,
      ({ vin }) => vin,
      (row) => row,
    );
  });
}
