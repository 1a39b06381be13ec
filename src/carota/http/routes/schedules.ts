/** `/v1.0/schedules`: campaigns, their waves, and what was decided. */
import Type from 'typebox';
import { EVENT_STATUS_NAMES, parseVin, StateName } from '../../../contract/index.js';
import {
  callerOf,
  describeRoute,
  ID_POSITION,
  invalid,
  json,
  linesBody,
  linesIn,
  listCursor,
  notFound,
  page,
  pageOf,
  PageQuery,
  Problem,
  RefIdParams,
  RefIdVinParams,
  type Server,
  takeLines,
  VIN_POSITION,
  WithReason,
} from '../../../service/http/index.js';
import { linesOf } from '../../../service/lines.js';
import { readPath } from '../../guard/index.js';
import { readVehicleEvents } from '../../events/index.js';
import {
  act,
  addVehicles,
  countStates,
  createSchedule,
  findSchedule,
  listSchedules,
  listScheduleVehicles,
  previewSchedule,
  readDecisions,
  readWaves,
  type ScheduleAction,
  ScheduleConflict,
  SchedulePlan,
  type ScheduleRow,
  validatePlan,
} from '../../schedules/index.js';
import { type CarotaContext } from '../context.js';
import { eventBody, VehicleEvent } from './event-body.js';
import {
  guardTestOf,
  Preview,
  Schedule,
  scheduleBody,
  ScheduleVehicle,
  waveBody,
  WholeSchedule,
} from './schedule-bodies.js';

/** Of a vehicle in a schedule: until the adapter has told of it, and then as of its newest event. */
const SCHEDULE_STATES = ['waiting', 'triggered', 'device_not_found', ...EVENT_STATUS_NAMES];
/** As many as a column of type integer takes. */
const MAX_WAVE = 2 ** 31 - 1;

const VehicleQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(StateName(SCHEDULE_STATES, 'Only vehicles in this state.')),
  wave: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_WAVE, description: 'Only vehicles of this wave.' }),
  ),
});
const tags = ['Schedules'];
const SCHEDULES = listCursor('schedules', ID_POSITION);
const VEHICLES = listCursor('schedule-vehicles', VIN_POSITION);

export function scheduleRoutes(server: Server, context: CarotaContext): void {
  const { database, clock, wake } = context;
  server.post(
    '/v1.0/schedules',
    describeRoute('plan', {
      tags,
      summary: 'Plan a schedule; it starts by itself when it is due',
      body: SchedulePlan,
      response: { 201: json(Schedule, 'Planned.') },
    }),
    async (request, reply) => {
      const plan = validatePlan(request.body);
      if (!('ref-id' in plan)) throw invalid(plan);
      const how = { by: callerOf(request), approval: context.approval };
      const faults = await createSchedule(database, plan, how, clock()).catch(asProblem);
      if (faults.length > 0) throw invalid(faults);
      wake();
      return reply.code(201).send(scheduleBody(await known(context, plan['ref-id'])));
    },
  );

  server.post(
    '/v1.0/schedules/preview',
    describeRoute('plan', {
      tags,
      summary: 'Who would get what when; nothing is stored',
      body: SchedulePlan,
      response: { 200: json(Preview, 'As things are now.') },
    }),
    async ({ body }) => {
      const plan = validatePlan(body);
      if (!('ref-id' in plan)) throw invalid(plan);
      const preview = await previewSchedule(database, plan, clock());
      if (!('waves' in preview)) throw invalid(preview);
      return preview;
    },
  );

  server.get<{ Querystring: Type.Static<typeof PageQuery> }>(
    '/v1.0/schedules',
    describeRoute('read', {
      tags,
      summary: 'List schedules, newest first',
      querystring: PageQuery,
      response: { 200: json(pageOf(Schedule), 'One page.') },
    }),
    async ({ query: { limit, cursor } }) => {
      const before = SCHEDULES.read(cursor);
      const rows = await listSchedules(
        database,
        before === undefined ? undefined : Number(before),
        limit,
      );
      return page(rows, limit, SCHEDULES, ({ id }) => String(id), scheduleBody);
    },
  );

  server.get<{ Params: { refId: string } }>(
    '/v1.0/schedules/:refId',
    describeRoute('read', {
      tags,
      summary:
        'A schedule: its waves, its vehicles by state, and what was decided by which figures',
      params: RefIdParams,
      response: { 200: json(WholeSchedule, 'It.') },
    }),
    async ({ params: { refId } }) => {
      const schedule = await known(context, refId);
      const [states, waves, decisions, path] = await Promise.all([
        countStates(database, schedule.id),
        readWaves(database, schedule.id),
        readDecisions(database, schedule.id),
        readPath(database, schedule.id),
      ]);
      return {
        ...scheduleBody(schedule),
        states,
        waves: waves.map(waveBody),
        decisions,
        guardTest: guardTestOf(schedule.plan, path),
      };
    },
  );

  vehicleRoutes(server, context);
  for (const [action, summary] of ACTIONS) actionRoute(server, context, action, summary);
}

const ACTIONS: readonly (readonly [ScheduleAction, string])[] = [
  ['approve', 'Let a proposed one start; by a second person, where the setting demands it'],
  ['pause', 'No more waves; the adapter is paused too, where it may be told'],
  ['resume', 'Go on after a pause'],
  ['continue', 'Let the next wave go although the guard holds it'],
  ['stop', 'End it; the adapter cancels what was not sent, where it may be told'],
];

function actionRoute(
  server: Server,
  context: CarotaContext,
  action: ScheduleAction,
  summary: string,
): void {
  server.post<{ Params: { refId: string }; Body: { reason?: string } | undefined }>(
    `/v1.0/schedules/:refId/${action}`,
    describeRoute('plan', {
      tags,
      summary,
      params: RefIdParams,
      body: WithReason,
      response: { 200: json(Schedule, 'As it is now.') },
    }),
    async (request) => {
      const { refId } = request.params;
      const reason = request.body?.reason ?? '';
      const who = { by: callerOf(request), reason, approval: context.approval };
      const done = await act(context.database, refId, action, who, context.clock()).catch(
        asProblem,
      );
      if (!done) throw unknown(refId);
      context.wake();
      return scheduleBody(await known(context, refId));
    },
  );
}

function vehicleRoutes(server: Server, context: CarotaContext): void {
  const { database } = context;
  server.get<{ Params: { refId: string }; Querystring: Type.Static<typeof VehicleQuery> }>(
    '/v1.0/schedules/:refId/vehicles',
    describeRoute('read', {
      tags,
      summary: 'The vehicles of a schedule',
      params: RefIdParams,
      querystring: VehicleQuery,
      response: { 200: json(pageOf(ScheduleVehicle), 'One page.') },
    }),
    async ({ params: { refId }, query: { limit, cursor, ...filter } }) => {
      const { id } = await known(context, refId);
      const after = VEHICLES.read(cursor) ?? '';
      const rows = await listScheduleVehicles(database, id, { after, limit, ...filter });
      return page(
        rows,
        limit,
        VEHICLES,
        ({ vin }) => vin,
        (row) => row,
      );
    },
  );

  server.get<{ Params: { refId: string; vin: string } }>(
    '/v1.0/schedules/:refId/vehicles/:vin',
    describeRoute('read', {
      tags,
      summary: 'What happened to a vehicle in a schedule',
      params: RefIdVinParams,
      response: {
        200: json(
          Type.Object({ ...ScheduleVehicle.properties, events: Type.Array(VehicleEvent) }),
          'It, newest event first.',
        ),
      },
    }),
    async ({ params }) => {
      const vin = params.vin.toUpperCase();
      const { id } = await known(context, params.refId);
      const [row] = await listScheduleVehicles(database, id, { after: before(vin), limit: 1 });
      if (row?.vin !== vin) throw notFound('VEHICLE_NOT_FOUND', `${vin} is not in this schedule`);
      const events = await readVehicleEvents(database, vin, MAX_EVENTS, params.refId);
      return { ...row, events: events.map(eventBody) };
    },
  );

  server.register((scope, _options, done) => {
    addRoute(scope, context);
    done();
  });
}

const MAX_EVENTS = 1_000;

/** The greatest text that is less than a VIN. */
const before = (vin: string) =>
  vin.slice(0, -1) + String.fromCharCode(vin.charCodeAt(vin.length - 1) - 1) + '~';

function addRoute(scope: Server, context: CarotaContext): void {
  takeLines(scope);
  scope.post<{ Params: { refId: string } }>(
    '/v1.0/schedules/:refId/vehicles',
    describeRoute('plan', {
      tags,
      summary: 'Add vehicles to a schedule that has not started, from a column vin',
      description: 'All or nothing: faulty lines are told, and then none is taken.',
      params: RefIdParams,
      body: linesBody('A line for each vehicle.'),
      response: { 200: json(Type.Object({ vehicles: Type.Integer() }), 'Lines that were taken.') },
    }),
    async (request) => {
      const { input, format } = linesIn(request);
      const vins: string[] = [];
      const faults: { path: string; message: string }[] = [];
      for await (const entry of linesOf(input, format)) {
        const text = 'value' in entry ? (entry.value as { vin?: unknown } | null)?.vin : undefined;
        const vin = typeof text === 'string' ? parseVin(text) : undefined;
        if (vin !== undefined) vins.push(vin);
        else if (faults.length < 100) {
          const message = 'error' in entry ? entry.error : 'vin must be 17 of A-H J-N P R-Z 0-9';
          faults.push({ path: `line ${entry.line}`, message });
        }
      }
      if (faults.length > 0) throw invalid(faults);
      const { refId } = request.params;
      await known(context, refId);
      await addVehicles(context.database, refId, vins).catch(asProblem);
      return { vehicles: vins.length };
    },
  );
}

async function known({ database }: CarotaContext, refId: string): Promise<ScheduleRow> {
  const schedule = await findSchedule(database, refId);
  if (!schedule) throw unknown(refId);
  return schedule;
}

const unknown = (refId: string) =>
  notFound('SCHEDULE_NOT_FOUND', `there is no schedule '${refId}'`);

function asProblem(error: unknown): never {
  if (error instanceof ScheduleConflict) throw new Problem(409, error.code, error.message);
  throw error;
}
