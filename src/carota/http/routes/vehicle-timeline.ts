/** `/v1.0/vehicles/{vin}/timeline`: a vehicle's reports and the guard's conclusions from them. */
import {
  MAX_EVENTS,
  type VehicleTimelineEntry,
  vehicleTimelineApi,
} from '../../../contract/carota-api/index.js';
import { Problem, serve, type Served, type Server } from '../../../service/http/index.js';
import { type EventRow, readVehicleEvents } from '../../events/index.js';
import { readVehicleSteps } from '../../schedules/index.js';
import { findVehicle } from '../../vehicles/index.js';
import { type CarotaContext } from '../context.js';

type Entry = Served<VehicleTimelineEntry>;

export function vehicleTimelineRoute(server: Server, { reading }: CarotaContext): void {
  serve(server, vehicleTimelineApi.getVehicleTimeline, async ({ params, query }) => {
    const vin = params.vin.toUpperCase();
    const refId = query['ref-id'];
    const steps = await readVehicleSteps(reading, vin, refId);
    const events = await readVehicleEvents(reading, vin, MAX_EVENTS, { refId });
    if (!steps && events.length === 0 && !(await findVehicle(reading, vin))) {
      throw new Problem('VEHICLE_NOT_FOUND', `there is no vehicle ${vin}`);
    }
    return { items: [...(steps ?? []), ...events.map(reportEntry)].sort(newestFirst) };
  });
}

const reportEntry = (row: EventRow): Entry => ({
  kind: 'report',
  at: row.received_at,
  'ref-id': row.ref_id,
  'event-id': row.event_id,
  'status-name': row.status_name,
  meta: row.meta,
  timestamp: row.at,
});

/** At equal times, a report comes before its consequences. */
const ORDER: readonly Entry['kind'][] = ['asked', 'exposed', 'report', 'result', 'retried', 'due'];

function newestFirst(a: Entry, b: Entry): number {
  const due = Number(b.kind === 'due') - Number(a.kind === 'due');
  const time = new Date(b.at).getTime() - new Date(a.at).getTime();
  return due || time || ORDER.indexOf(b.kind) - ORDER.indexOf(a.kind);
}
