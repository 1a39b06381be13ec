/** `/v1.0/schedules/{ref-id}/vehicles`: the vehicles of a schedule. */
import { type Readable } from 'node:stream';
import { type FieldError, parseVin } from '../../../contract/index.js';
import { MAX_EVENTS, MAX_LISTED, scheduleVehicleApi } from '../../../contract/carota-api/index.js';
import {
  invalid,
  linesIn,
  listCursor,
  page,
  Problem,
  serve,
  type Server,
} from '../../../service/http/index.js';
import { type LineFormat, linesOf } from '../../../service/lines.js';
import { readVehicleEvents } from '../../events/index.js';
import { addVehicles, admit, listScheduleVehicles } from '../../schedules/index.js';
import { type CarotaContext } from '../context.js';
import { refuseOthers } from '../own-vehicle.js';
import { eventBody } from './event-body.js';
import { LISTED_VEHICLE, scheduleOf, scheduleVehicleBody } from './schedule-bodies.js';
import { conflictAsProblem } from './schedules.js';

const VEHICLES = listCursor('schedule-vehicles', LISTED_VEHICLE);

export function scheduleVehicleRoutes(server: Server, context: CarotaContext): void {
  const { database, reading, clock } = context;

  serve(server, scheduleVehicleApi.admitVehicle, async ({ request, params }) => {
    const vin = params.vin.toUpperCase();
    refuseOthers(request, vin);
    const refId = params['ref-id'];
    const admission = await admit(database, refId, vin, clock()).catch(conflictAsProblem);
    if (!admission) throw notIn(vin);
    return admission;
  });

  serve(server, scheduleVehicleApi.listScheduleVehicles, async ({ params, query }) => {
    const { limit, cursor, ...filter } = query;
    const { id } = await scheduleOf(context, params['ref-id']);
    const after = VEHICLES.read(cursor) ?? '';
    const rows = await listScheduleVehicles(reading, id, { after, limit, ...filter });
    return page(rows, limit, VEHICLES, ({ vin }) => vin, scheduleVehicleBody);
  });

  serve(
    server,
    scheduleVehicleApi.addScheduleVehicles,
    async ({ request, params: { 'ref-id': refId } }) => {
      const { input, format } = linesIn(request);
      const vins = await readVins(input, format);
      await scheduleOf(context, refId);
      await addVehicles(database, refId, vins, clock()).catch(conflictAsProblem);
      return { vehicles: vins.length };
    },
  );

  serve(server, scheduleVehicleApi.getScheduleVehicle, async ({ params }) => {
    const vin = params.vin.toUpperCase();
    const { id } = await scheduleOf(context, params['ref-id']);
    const [row] = await listScheduleVehicles(database, id, { after: before(vin), limit: 1 });
    if (row?.vin !== vin) throw notIn(vin);
    const events = await readVehicleEvents(reading, vin, MAX_EVENTS, params['ref-id']);
    return { ...scheduleVehicleBody(row), events: events.map(eventBody) };
  });
}

const notIn = (vin: string) => new Problem('VEHICLE_NOT_FOUND', `${vin} is not in this schedule`);

/** Sorts immediately before the VIN. */
const before = (vin: string) =>
  vin.slice(0, -1) + String.fromCharCode(vin.charCodeAt(vin.length - 1) - 1) + '~';

const MAX_FAULTS = 100;

/**
 * All or nothing. Memory is bounded by the number of vehicles that a schedule can list, however long the input: a few
 * megabytes of gzip hold hundreds of millions of lines.
 *
 * @throws Problem 400, 413
 */
async function readVins(input: Readable, format: LineFormat): Promise<string[]> {
  const vins: string[] = [];
  const faults: FieldError[] = [];
  for await (const entry of linesOf(input, format)) {
    const text = 'value' in entry ? (entry.value as { vin?: unknown } | null)?.vin : undefined;
    const vin = typeof text === 'string' ? parseVin(text) : undefined;
    if (vin === undefined) {
      const message = 'error' in entry ? entry.error : 'vin must be 17 of A-H J-N P R-Z 0-9';
      faults.push({ path: `line ${entry.line}`, message });
      if (faults.length === MAX_FAULTS) break;
    } else if (vins.length === MAX_LISTED) {
      throw new Problem('BODY_TOO_LARGE', `the body has more than ${MAX_LISTED} vehicles`);
    } else vins.push(vin);
  }
  if (faults.length > 0) throw invalid(faults);
  return vins;
}
