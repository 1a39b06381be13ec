/** `/v1.0/schedules`: campaigns, their waves and decisions, and people's actions. */
import Type from '../typebox.js';
import {
  json,
  jsonBody,
  LONG_LIST,
  Nullable,
  optionalJsonBody,
  pageOf,
  PageQuery,
  RefIdParams,
  routesOf,
  Time,
  WithReason,
} from '../http/index.js';
import { ScheduleVehicleStateName } from '../states/index.js';
import { Sha256 } from '../update-script/index.js';
import { Exposure, Figures, GuardTest } from './guard.js';
import { SchedulePlan } from './schedule-plan.js';

/** Statuses of schedules. */
export const SCHEDULE_STATUSES = [
  'proposed',
  'planned',
  'running',
  'paused',
  'held',
  'stopped',
  'completed',
] as const;
/** One of {@link SCHEDULE_STATUSES}. */
export const ScheduleStatus = Type.Enum([...SCHEDULE_STATUSES], {
  title: 'ScheduleStatus',
  description:
    'proposed: waits for approval; planned: starts when due; held: the guard holds the next wave; stopped: ended by the guard, a person, its stop time or a refusal by the adapter.',
});
/** A value that fits the schema {@link ScheduleStatus}. */
export type ScheduleStatus = Type.Static<typeof ScheduleStatus>;

/** A schedule as listed. */
export const Schedule = Type.Object(
  {
    'ref-id': Type.String(),
    'script-ref-id': Type.String(),
    model: Type.String(),
    status: ScheduleStatus,
    reason: Type.String({ description: 'Why it is held or stopped; empty otherwise.' }),
    plan: SchedulePlan,
    createdAt: Time,
    approvedAt: Nullable(Time),
    startedAt: Nullable(Time),
    endedAt: Nullable(Time),
  },
  { title: 'Schedule' },
);
/** A value that fits the schema {@link Schedule}. */
export type Schedule = Type.Static<typeof Schedule>;

/** State of a wave. */
export const WaveState = Type.Enum(['waiting', 'posting', 'running', 'passed', 'stopped'], {
  title: 'WaveState',
  description:
    'waiting: not due; posting: its event is on its way to the adapter; running: the adapter has it; passed: the next one may start; stopped: the schedule ended before it passed.',
});
/** A value that fits the schema {@link WaveState}. */
export type WaveState = Type.Static<typeof WaveState>;

/** A wave of a schedule, with its progress. */
export const Wave = Type.Object(
  {
    number: Type.Integer({ description: 'From 1.' }),
    state: WaveState,
    vehicles: Type.Integer(),
    rejected: Type.Integer({ description: 'Vehicles not registered at the adapter.' }),
    finished: Type.Integer({ description: 'Vehicles from which no more reports are expected.' }),
    exposed: Type.Integer(),
    undecided: Type.Integer({ description: 'Exposed vehicles without a result.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    silent: Type.Integer(),
    withdrawn: Type.Integer(),
    failedEarly: Type.Integer({ description: 'Vehicles that failed before exposure.' }),
    rollbackFailed: Type.Integer(),
    postedAt: Nullable(Time),
    passedAt: Nullable(Time),
  },
  { title: 'Wave' },
);
/** A value that fits the schema {@link Wave}. */
export type Wave = Type.Static<typeof Wave>;

/** Decisions on a schedule by a person, the guard or the scheduler. */
export const DecisionName = Type.Enum(
  [
    'propose',
    'approve',
    'start',
    'post',
    'go',
    'hold',
    'continue',
    'pause',
    'resume',
    'stop',
    'complete',
    'control_refused',
  ],
  {
    title: 'DecisionName',
    description:
      'post: a wave’s event reached the adapter; go: a wave has passed; control_refused: the adapter refused to pause, resume or cancel the operation.',
  },
);
export type DecisionName = Type.Static<typeof DecisionName>;

/** A decision of the guard or a person about a schedule, with its figures. */
export const Decision = Type.Object(
  {
    at: Time,
    wave: Nullable(Type.Integer()),
    decision: DecisionName,
    reason: Type.String(),
    actor: Type.String({ description: 'guard, scheduler, or the name of a token.' }),
    figures: Nullable(Figures),
  },
  { title: 'Decision' },
);
/** A value that fits the schema {@link Decision}. */
export type Decision = Type.Static<typeof Decision>;

/** A schedule with its waves and decisions. */
export const ScheduleDetails = Type.Object(
  {
    ...Schedule.properties,
    states: Type.Record(Type.String(), Type.Integer(), {
      title: 'ScheduleStates',
      propertyNames: ScheduleVehicleStateName,
      description: 'Number of vehicles in each state; states without vehicles are omitted.',
    }),
    waves: Type.Array(Wave),
    digest: Nullable(
      Type.String({
        description:
          'SHA-256 over plan, update script and list of vehicles, which an approval covers; null: not waiting for approval.',
      }),
    ),
    decisions: Type.Array(Decision, { description: 'Oldest first.' }),
    exposure: Exposure,
    guardTest: Nullable(GuardTest),
  },
  { title: 'ScheduleDetails' },
);
/** A value that fits the schema {@link ScheduleDetails}. */
export type ScheduleDetails = Type.Static<typeof ScheduleDetails>;

const WavePreview = Type.Object(
  {
    number: Type.Integer(),
    vehicles: Type.Integer(),
    vins: Type.Array(Type.String(), { description: 'The first 20 VINs that the wave names.' }),
    earliest: Nullable(
      Type.String({
        format: 'date-time',
        description: 'Earliest start; null: after the previous wave.',
      }),
    ),
  },
  { title: 'WavePreview' },
);
const VersionPreview = Type.Object(
  {
    ecu: Type.String(),
    version: Nullable(Type.String({ description: 'Installed version; null: unknown.' })),
    vehicles: Type.Integer(),
    accepted: Nullable(
      Type.Boolean({
        description: 'Whether the script accepts this version as a starting point; null: unknown.',
      }),
    ),
  },
  { title: 'VersionPreview' },
);
/** Which vehicles a plan would update, and when. */
export const SchedulePreview = Type.Object(
  {
    vehicles: Type.Integer(),
    unknown: Type.Integer({ description: 'Number of vehicles unknown to this server.' }),
    waves: Type.Array(WavePreview),
    versions: Type.Array(VersionPreview, {
      description: 'Installed versions, most frequent first.',
    }),
  },
  { title: 'SchedulePreview' },
);
/** A value that fits the schema {@link SchedulePreview}. */
export type SchedulePreview = Type.Static<typeof SchedulePreview>;

/** Approves the content with this digest only. */
export const Approval = Type.Object(
  { digest: Sha256, ...WithReason.properties },
  { title: 'Approval', additionalProperties: false },
);
export type Approval = Type.Static<typeof Approval>;

/** People's actions on a schedule. */
export const SCHEDULE_ACTIONS = ['approve', 'pause', 'resume', 'continue', 'stop'] as const;
/** One of {@link SCHEDULE_ACTIONS}. */
export type ScheduleAction = (typeof SCHEDULE_ACTIONS)[number];

const action = <const Path extends `/${string}`>(path: Path) =>
  ({
    method: 'POST',
    path,
    permission: 'plan',
    scope: 'schedule',
    params: RefIdParams,
    body: optionalJsonBody(WithReason, 'The reason, stored with the decision.'),
    answer: json(Schedule, 'The schedule after the action.'),
  }) as const;

/** Routes for schedules. */
export const scheduleApi = routesOf('Schedules', {
  createSchedule: {
    method: 'POST',
    path: '/v1.0/schedules',
    permission: 'plan',
    scope: 'filtered',
    audit: 'plan-schedule',
    summary: 'Plan a schedule; it starts automatically when due',
    description: 'If schedules need approval, the new schedule is `proposed` until it is approved.',
    body: jsonBody(SchedulePlan, 'The plan.', LONG_LIST),
    answer: json(Schedule, 'The planned schedule.', 201),
    errors: ['OUT_OF_SCOPE', 'SCHEDULE_EXISTS'],
  },
  previewSchedule: {
    method: 'POST',
    path: '/v1.0/schedules/preview',
    permission: 'plan',
    scope: 'filtered',
    unaudited: 'changes nothing',
    load: 'search',
    summary: 'Show which vehicles a plan would update and when, without storing it',
    body: jsonBody(SchedulePlan, 'The plan.', LONG_LIST),
    answer: json(SchedulePreview, 'The preview, based on current data.'),
    errors: ['OUT_OF_SCOPE'],
    repeatable: true,
  },
  previewStoredSchedule: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/preview',
    permission: 'read',
    scope: 'schedule',
    load: 'search',
    summary: 'Show which vehicles a stored schedule would update and when, for the approver',
    description:
      'For a proposed schedule, these are the vehicles that its digest covers; for a planned schedule with a filter, those that the filter selects now.',
    params: RefIdParams,
    answer: json(SchedulePreview, 'The preview, based on current data.'),
    errors: ['SCHEDULE_NOT_FOUND'],
  },
  listSchedules: {
    method: 'GET',
    path: '/v1.0/schedules',
    permission: 'read',
    scope: 'filtered',
    summary: 'List the schedules, newest first',
    query: PageQuery,
    answer: json(pageOf(Schedule), 'A page of schedules.'),
  },
  getSchedule: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}',
    permission: 'read',
    scope: 'schedule',
    summary: 'Get the progress of a schedule, and its decisions with their figures',
    params: RefIdParams,
    answer: json(ScheduleDetails, 'The schedule.'),
    errors: ['SCHEDULE_NOT_FOUND'],
  },
  approveSchedule: {
    ...action('/v1.0/schedules/{ref-id}/approve'),
    audit: 'approve-schedule',
    body: jsonBody(Approval, 'The digest to be approved.'),
    summary: 'Approve a proposed schedule; it starts when due',
    description:
      'The approval covers the plan, the update script and the list of vehicles at the time when the `digest` was read. A filter’s vehicles were listed when the schedule was proposed; later changes to tags have no effect.',
    errors: [
      'SCHEDULE_NOT_FOUND',
      'SCHEDULE_STATUS',
      'SECOND_PERSON_NEEDED',
      'SCRIPT_NOT_APPROVED',
      'DIGEST_MISMATCH',
    ],
  },
  pauseSchedule: {
    ...action('/v1.0/schedules/{ref-id}/pause'),
    audit: 'pause-schedule',
    summary: 'Pause a schedule: no more waves, and the adapter pauses the operation',
    description:
      'The operation is paused only if this server has a token that may control the adapter.',
    errors: ['SCHEDULE_NOT_FOUND', 'SCHEDULE_STATUS'],
    repeatable: true,
  },
  resumeSchedule: {
    ...action('/v1.0/schedules/{ref-id}/resume'),
    audit: 'resume-schedule',
    summary: 'Resume a paused schedule',
    errors: ['SCHEDULE_NOT_FOUND', 'SCHEDULE_STATUS'],
  },
  continueSchedule: {
    ...action('/v1.0/schedules/{ref-id}/continue'),
    audit: 'continue-schedule',
    summary: 'Start the next wave although the guard holds it',
    errors: ['SCHEDULE_NOT_FOUND', 'SCHEDULE_STATUS'],
  },
  stopSchedule: {
    ...action('/v1.0/schedules/{ref-id}/stop'),
    freshSignIn: true,
    audit: 'stop-schedule',
    summary: 'Stop a schedule permanently; the adapter cancels triggers not yet sent',
    description:
      'Triggers are cancelled only if this server has a token that may control the adapter.',
    errors: ['SCHEDULE_NOT_FOUND', 'SCHEDULE_STATUS'],
    repeatable: true,
  },
});
