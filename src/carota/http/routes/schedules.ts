/** `/v1.0/schedules`: schedules with their waves and decisions, and people's actions. */
import { scheduleApi, type SchedulePlan } from '../../../contract/carota-api/index.js';
import {
  callerOf,
  ID_POSITION,
  invalid,
  listCursor,
  page,
  Problem,
  scopesOf,
  serve,
  type Server,
} from '../../../service/http/index.js';
import {
  act,
  contentOf,
  countStates,
  createSchedule,
  isChosenLater,
  listSchedules,
  planErrors,
  previewSchedule,
  readDecisions,
  readGuardTest,
  readWaiting,
  readWaves,
  ScheduleConflict,
} from '../../schedules/index.js';
import { type CarotaContext } from '../context.js';
import { holdPlan } from '../plan-scope.js';
import { decisionBody, exposureOf, scheduleBody, scheduleOf, waveBody } from './schedule-bodies.js';

const SCHEDULES = listCursor('schedules', ID_POSITION);

export function scheduleRoutes(server: Server, context: CarotaContext): void {
  const { database, reading, clock, wake, approval, mayControl } = context;

  serve(server, scheduleApi.createSchedule, async ({ request, body: plan }) => {
    refuseFaulty(plan, mayControl);
    const scopes = scopesOf(request);
    await holdPlan(database, plan, scopes);
    const how = { by: callerOf(request), approval };
    const faults = await createSchedule(database, plan, how, clock()).catch(conflictAsProblem);
    if (faults.length > 0) throw invalid(faults);
    const planned = scheduleBody(await scheduleOf(context, plan['ref-id']), scopes);
    wake();
    return planned;
  });

  serve(server, scheduleApi.previewSchedule, async ({ request, body: plan }) => {
    refuseFaulty(plan, mayControl);
    await holdPlan(reading, plan, scopesOf(request));
    const preview = await previewSchedule(reading, plan, clock());
    if (!('waves' in preview)) throw invalid(preview);
    return preview;
  });

  serve(
    server,
    scheduleApi.previewStoredSchedule,
    async ({ request, params: { 'ref-id': refId } }) => {
      const schedule = await scheduleOf(context, refId);
      const { id, plan } = schedule;
      const listed = isChosenLater(schedule) ? undefined : id;
      const preview = await previewSchedule(reading, plan, clock(), listed);
      if (!('waves' in preview)) throw invalid(preview);
      // Another planner may have named vehicles of other models.
      if (scopesOf(request) === null) return preview;
      return { ...preview, waves: preview.waves.map((wave) => ({ ...wave, vins: [] })) };
    },
  );

  serve(server, scheduleApi.listSchedules, async ({ request, query: { limit, cursor } }) => {
    const scopes = scopesOf(request);
    const position = SCHEDULES.read(cursor);
    const before = position === undefined ? undefined : Number(position);
    const rows = await listSchedules(reading, { before, limit, scopes });
    return page(
      rows,
      limit,
      SCHEDULES,
      ({ id }) => String(id),
      (row) => scheduleBody(row, scopes),
    );
  });

  serve(server, scheduleApi.getSchedule, async ({ request, params: { 'ref-id': refId } }) => {
    const schedule = await scheduleOf(context, refId);
    const [states, waves, decisions, waiting, guardTest] = await Promise.all([
      countStates(reading, schedule.id),
      readWaves(reading, schedule.id),
      readDecisions(reading, schedule.id),
      readWaiting(reading, schedule.id),
      readGuardTest(reading, schedule),
    ]);
    return {
      ...scheduleBody(schedule, scopesOf(request)),
      digest:
        schedule.status === 'proposed' ? (await contentOf(reading, schedule.id)).digest : null,
      states,
      waves: waves.map(waveBody),
      decisions: decisions.map(decisionBody),
      exposure: exposureOf(schedule, waves, waiting),
      guardTest,
    };
  });

  serve(server, scheduleApi.approveSchedule, async ({ request, params, body }) => {
    const { 'ref-id': refId } = params;
    const { digest, reason = '' } = body;
    const who = { by: callerOf(request), reason, approval, digest };
    await act(database, refId, 'approve', who, clock()).catch(conflictAsProblem);
    wake();
    return scheduleBody(await scheduleOf(context, refId), scopesOf(request));
  });

  for (const action of OTHER_ACTIONS) {
    serve(server, ROUTE_OF[action], async ({ request, params: { 'ref-id': refId }, body }) => {
      const who = { by: callerOf(request), reason: body?.reason ?? '', approval };
      await act(database, refId, action, who, clock()).catch(conflictAsProblem);
      wake();
      return scheduleBody(await scheduleOf(context, refId), scopesOf(request));
    });
  }
}

const OTHER_ACTIONS = ['pause', 'resume', 'continue', 'stop'] as const;
const ROUTE_OF = {
  pause: scheduleApi.pauseSchedule,
  resume: scheduleApi.resumeSchedule,
  continue: scheduleApi.continueSchedule,
  stop: scheduleApi.stopSchedule,
} as const;

/** @throws Problem 400 */
function refuseFaulty(plan: SchedulePlan, mayControl: boolean): void {
  const errors = planErrors(plan);
  if (plan.retry && !mayControl) {
    const message = 'needs a server with a token to control the adapter (--adapter-control-token)';
    errors.push({ path: '/retry', message });
  }
  if (errors.length > 0) throw invalid(errors);
}

export function conflictAsProblem(error: unknown): never {
  if (error instanceof ScheduleConflict) throw new Problem(error.code, error.message);
  throw error;
}
