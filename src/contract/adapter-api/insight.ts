/** Finding out why: summary, timeline, export, search, and one vehicle across all operations. */
import Type from '../typebox.js';
import {
  json,
  listOf,
  Nullable,
  pageOf,
  PageQuery,
  RefIdParams,
  RefIdVinParams,
  routesOf,
  stream,
  TimeOf,
  VinParams,
  VinPrefix,
} from '../http/index.js';
import { Identifier } from '../values/text.js';
import { VehicleFilter, VehicleState } from './operations.js';
import { RegisteredVehicle } from './registry.js';
import { Summary } from './summary.js';
import { TimelineEntry } from './timeline.js';

/** Media type of each format of an export. */
export const EXPORT_TYPES = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
} as const;
/** Format of an export: a key of {@link EXPORT_TYPES}. */
export type ExportFormat = keyof typeof EXPORT_TYPES;
const EXPORT_FORMATS = Object.keys(EXPORT_TYPES) as ExportFormat[];

const ExportQuery = Type.Object({
  format: Type.Enum(EXPORT_FORMATS, { default: 'csv', description: 'Format of the lines.' }),
  ...VehicleFilter.properties,
});

const SearchQuery = Type.Object({ ...PageQuery.properties, vin: VinPrefix });

/** State of a vehicle in one of its operations. */
export const VehicleInOperation = Type.Object(
  { 'ref-id': Type.String(), ...VehicleState.properties },
  { title: 'VehicleInOperation' },
);
/** A value that fits the schema {@link VehicleInOperation}. */
export type VehicleInOperation = Type.Static<typeof VehicleInOperation>;

/** Version that a vehicle has reported for an ECU. */
export const InstalledVersion = Type.Object(
  {
    ecu: Type.String(),
    version: Type.String(),
    'ref-id': Type.String({ description: 'The operation that installed it.' }),
    at: TimeOf('By the vehicle’s clock.'),
  },
  { title: 'InstalledVersion' },
);
/** A value that fits the schema {@link InstalledVersion}. */
export type InstalledVersion = Type.Static<typeof InstalledVersion>;

/** A vehicle: its registration, its operations and its installed software. */
export const Vehicle = Type.Object(
  {
    vin: Type.String(),
    registration: Nullable(RegisteredVehicle),
    operations: Type.Array(VehicleInOperation, { description: 'The newest 1,000, newest first.' }),
    installed: Type.Array(InstalledVersion, {
      description: 'As reported by the vehicle with `success`.',
    }),
  },
  { title: 'Vehicle' },
);
/** A value that fits the schema {@link Vehicle}. */
export type Vehicle = Type.Static<typeof Vehicle>;

/** A message of a vehicle as received. */
export const RawMessage = Type.Object(
  {
    verbatim: Type.Boolean({
      description:
        'true: the bytes as received; false: the message was rebuilt from the stored fields, which are all fields of the contract.',
    }),
    envelope: Type.String({ description: 'JSON.' }),
  },
  { title: 'RawMessage' },
);
/** A value that fits the schema {@link RawMessage}. */
export type RawMessage = Type.Static<typeof RawMessage>;

const MessageParams = Type.Object({
  ...RefIdVinParams.properties,
  message_id: Identifier('message_id of an acknowledgement or event.'),
});

const NO_VEHICLES = ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED'] as const;

/** Routes for analysis: summaries, timelines, exports, search. */
export const insightApi = routesOf('Insight', {
  getSummary: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/summary',
    permission: 'read',
    scope: 'operation',
    summary: 'Get funnel, failure reasons, durations, rate and expected completion',
    description:
      'Computed over all vehicles of the operation; cached for twenty times the duration of the computation.',
    params: RefIdParams,
    answer: json(Summary, 'The summary.'),
    errors: NO_VEHICLES,
  },
  getTimeline: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/vehicles/{vin}/timeline',
    permission: 'read',
    scope: 'operation-vehicle',
    summary: 'List every send, acknowledgement, event, control action and call-back of a vehicle',
    params: RefIdVinParams,
    answer: json(listOf(TimelineEntry), 'In the order in which the adapter recorded the entries.'),
    errors: [...NO_VEHICLES, 'VEHICLE_NOT_IN_OPERATION'],
  },
  exportVehicles: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/export',
    permission: 'read',
    scope: 'operation',
    audit: 'export-vehicles',
    load: 'export',
    summary: 'Export the vehicles of an operation as CSV or NDJSON',
    description: 'Streamed, for any number of vehicles. Columns are the fields of VehicleState.',
    params: RefIdParams,
    query: ExportQuery,
    answer: stream(
      Object.values(EXPORT_TYPES),
      'A line for each vehicle, in VIN order.',
      VehicleState,
    ),
    errors: NO_VEHICLES,
  },
  searchVehicles: {
    method: 'GET',
    path: '/v1.0/ota/vehicles',
    permission: 'read',
    scope: 'filtered',
    summary: 'Search all operations for vehicles by VIN',
    query: SearchQuery,
    answer: json(pageOf(VehicleInOperation), 'Sorted by VIN, then newest operation first.'),
  },
  getVehicle: {
    method: 'GET',
    path: '/v1.0/ota/vehicles/{vin}',
    permission: 'read',
    scope: 'vehicle',
    summary: 'Get a vehicle: its registration, operations and installed software',
    params: VinParams,
    answer: json(Vehicle, 'The vehicle.'),
    errors: ['DEVICE_NOT_FOUND'],
  },
  getMessage: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/vehicles/{vin}/messages/{message_id}',
    permission: 'read',
    scope: 'operation-vehicle',
    summary: 'Get a vehicle’s message as received',
    params: MessageParams,
    answer: json(RawMessage, 'The message.'),
    errors: [...NO_VEHICLES, 'VEHICLE_NOT_IN_OPERATION', 'MESSAGE_NOT_FOUND'],
  },
});
