/** `/v1.0/vehicles/{vin}/timeline`: a vehicle's reports, the guard's results, and results that are due. */
import Type from '../typebox.js';
import { json, RefIdParams, routesOf, Time, TimeOf, VinParams } from '../http/index.js';
import { MetaField } from '../mqtt/meta.js';
import { ReportedStatusName } from '../states/index.js';
import { ExposureResult } from './guard.js';

const OF_SCHEDULE = { 'ref-id': Type.String() };

const Asked = Type.Object(
  {
    kind: Type.Literal('asked'),
    at: TimeOf('When it first requested admission and had to wait.'),
    ...OF_SCHEDULE,
  },
  { title: 'AskedEntry' },
);
const Exposed = Type.Object(
  {
    kind: Type.Literal('exposed'),
    at: TimeOf('When it was admitted, or its first report after consent reached the adapter.'),
    ...OF_SCHEDULE,
    place: Type.Integer({ description: 'In the order of exposure, from 1.' }),
  },
  { title: 'ExposedEntry' },
);
const Report = Type.Object(
  {
    kind: Type.Literal('report'),
    at: TimeOf('When the adapter received it.'),
    ...OF_SCHEDULE,
    'event-id': Type.String(),
    'status-name': ReportedStatusName,
    meta: Type.Array(MetaField),
    timestamp: TimeOf('When it happened, by the vehicle’s clock (contract section 5.3).'),
  },
  { title: 'ReportEntry' },
);
const Result = Type.Object(
  {
    kind: Type.Literal('result'),
    at: Time,
    ...OF_SCHEDULE,
    result: ExposureResult,
  },
  {
    title: 'ResultEntry',
    description:
      'Result from then on. undecided: a report that reached the adapter before the deadline arrived here after it.',
  },
);
const Retried = Type.Object(
  {
    kind: Type.Literal('retried'),
    at: TimeOf('When the adapter started a new attempt.'),
    ...OF_SCHEDULE,
  },
  { title: 'RetriedEntry' },
);
const Due = Type.Object(
  {
    kind: Type.Literal('due'),
    at: TimeOf('When it will happen.'),
    ...OF_SCHEDULE,
    becomes: Type.Enum(['silent', 'succeeded', 'failed', 'retried'], {
      description: 'Result when the time is reached.',
    }),
    because: Type.String({ description: 'The setting of the plan from which the time follows.' }),
    unless: Type.String({ description: 'What would prevent it.' }),
  },
  { title: 'DueEntry' },
);

/** An entry of a vehicle’s timeline in its schedules; `kind` is its type. */
export const VehicleTimelineEntry = Type.Union([Asked, Exposed, Report, Result, Retried, Due], {
  title: 'VehicleTimelineEntry',
});
/** A value that fits the schema {@link VehicleTimelineEntry}. */
export type VehicleTimelineEntry = Type.Static<typeof VehicleTimelineEntry>;

/** Timeline of a vehicle in its schedules. */
export const VehicleTimeline = Type.Object(
  {
    items: Type.Array(VehicleTimelineEntry, {
      description: 'Due entries first, then newest first; at most the newest 1,000 reports.',
    }),
  },
  { title: 'VehicleTimeline' },
);

/** Route of the timeline of a vehicle. */
export const vehicleTimelineApi = routesOf('Vehicles', {
  getVehicleTimeline: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}/timeline',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get the timeline of a vehicle in its schedules, including due results',
    params: VinParams,
    query: Type.Object({ 'ref-id': Type.Optional(RefIdParams.properties['ref-id']) }),
    answer: json(VehicleTimeline, 'The timeline.'),
    errors: ['VEHICLE_NOT_FOUND'],
  },
});
