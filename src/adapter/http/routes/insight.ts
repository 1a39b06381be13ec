/** Finding out why: summary, timeline, export and search. */
import { Readable } from 'node:stream';
import Type from 'typebox';
import {
  describeRoute,
  json,
  listCursor,
  Nullable,
  page,
  pageOf,
  PageQuery,
  RefIdParams,
  RefIdVinParams,
  type Server,
  Time,
  VinParams,
  VinPrefix,
  notFound,
} from '../../../service/http/index.js';
import {
  EXPORT_FORMATS,
  exportDeliveries,
  searchDeliveries,
  type FoundPosition,
  timeline,
  findMessage,
  installedVersions,
} from '../../operations/index.js';
import { Identifier } from '../../../contract/index.js';
import { findVehicle } from '../../registry/index.js';
import { type HttpContext } from '../context.js';
import {
  deliveryOf,
  operationWithVehicles,
  vehicleBody,
  VehicleState,
} from './operation-bodies.js';
import { RegisteredVehicle, registrationBody } from './vehicles.js';
import { deliveryFilter, VehicleFilter } from './operations.js';

const SummaryBody = Type.Object(
  {
    at: Type.String({ format: 'date-time', description: 'When it was made; kept for a while.' }),
    states: Type.Record(Type.String(), Type.Integer(), {
      description: 'How the vehicles stood then.',
    }),
    funnel: Type.Array(
      Type.Object({
        stage: Type.String(),
        vehicles: Type.Integer({ description: 'Have come so far, in their newest attempt.' }),
      }),
    ),
    failureReasons: Type.Array(
      Type.Object({
        state: Type.String(),
        reason: Type.String({ description: 'In the vehicles’ words; empty: none was given.' }),
        vehicles: Type.Integer(),
      }),
      { description: 'The 100 most frequent.' },
    ),
    phases: Type.Array(
      Type.Object({
        phase: Type.String(),
        vehicles: Type.Integer({ description: 'Vehicles of the sample that were through it.' }),
        p50: Type.Number({ description: 'Seconds.' }),
        p90: Type.Number(),
        p99: Type.Number(),
      }),
    ),
    sampledVehicles: Type.Integer(),
    sends: Type.Integer({ description: 'OTA_TRIGGERs that went out, repetitions included.' }),
    estimate: Type.Object({
      finishedPerMinute: Type.Number(),
      windowSeconds: Type.Integer(),
      completionAt: Nullable(Time),
    }),
  },
  { title: 'Summary' },
);

const TimelineBody = Type.Object({
  items: Type.Array(
    Type.Object(
      {
        kind: Type.Enum(['delivery', 'ack', 'event', 'control']),
        at: Type.String({ format: 'date-time', description: 'When we saw or did it.' }),
        attempt: Nullable(Type.Integer()),
      },
      { title: 'TimelineEntry', additionalProperties: true },
    ),
  ),
});

const ExportQuery = Type.Object({
  format: Type.Enum([...EXPORT_FORMATS], { default: 'csv' }),
  ...VehicleFilter.properties,
});

const SearchQuery = Type.Object({ ...PageQuery.properties, vin: VinPrefix });
const Found = Type.Object(
  { 'ref-id': Type.String(), ...VehicleState.properties },
  { title: 'VehicleInOperation' },
);

const WholeVehicle = Type.Object(
  {
    vin: Type.String(),
    registration: Nullable(RegisteredVehicle),
    operations: Type.Array(Found, { description: 'The newest 1,000, newest first.' }),
    installed: Type.Array(
      Type.Object({
        ecu: Type.String(),
        version: Type.String(),
        'ref-id': Type.String({ description: 'The operation that installed it.' }),
        at: Type.String({ format: 'date-time', description: 'By the vehicle’s clock.' }),
      }),
      { description: 'As the vehicle has said of itself with success.' },
    ),
  },
  { title: 'WholeVehicle' },
);
const RawMessageBody = Type.Object(
  {
    asItCame: Type.Boolean({
      description:
        'Else it is written anew from what is stored of it: all of the contract’s fields.',
    }),
    envelope: Type.String(),
  },
  { title: 'RawMessage' },
);
const MessageParams = Type.Object({
  ...RefIdVinParams.properties,
  messageId: Identifier('message_id of the message.'),
});
const MAX_OPERATIONS = 1_000;

type RefId = Type.Static<typeof RefIdParams>;
const tags = ['Insight'];
const FOUND = listCursor('vehicles-in-operations', /^[0-9A-Z]{17} [1-9]\d{0,15}$/);

const CONTENT_TYPES = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson' } as const;

export function insightRoutes(server: Server, context: HttpContext): void {
  const { database } = context;
  vehicleRoutes(server, context);

  server.get<{ Params: RefId }>(
    '/v1.0/ota/operations/:refId/summary',
    describeRoute('read', {
      tags,
      summary: 'Funnel, failure reasons, durations, rate and estimated completion',
      description:
        'Reads all vehicles of the operation, and is kept for twenty times what it cost.',
      params: RefIdParams,
      response: { 200: json(SummaryBody, 'The summary.') },
    }),
    async ({ params }) => context.summaries.of(await operationWithVehicles(context, params.refId)),
  );

  server.get<{ Params: Type.Static<typeof RefIdVinParams> }>(
    '/v1.0/ota/operations/:refId/vehicles/:vin/timeline',
    describeRoute('read', {
      tags,
      summary: 'Each attempt, send, acknowledgement, event, control action and call-back',
      params: RefIdVinParams,
      response: { 200: json(TimelineBody, 'In the order in which we saw it.') },
    }),
    async ({ params }) => {
      const { operation, delivery } = await deliveryOf(context, params);
      return { items: await timeline(database, operation.id, delivery.vin) };
    },
  );

  server.get<{ Params: RefId; Querystring: Type.Static<typeof ExportQuery> }>(
    '/v1.0/ota/operations/:refId/export',
    describeRoute('read', {
      tags,
      summary: 'All vehicles as CSV or NDJSON, streamed',
      params: RefIdParams,
      querystring: ExportQuery,
      response: {
        200: {
          description: 'A line for each vehicle, in VIN order.',
          content: Object.fromEntries(
            Object.values(CONTENT_TYPES).map((type) => [type, { schema: Type.String() }]),
          ),
        },
      },
    }),
    async ({ params, query: { format, ...query } }, reply) => {
      const { id } = await operationWithVehicles(context, params.refId);
      const filter = deliveryFilter(query);
      const rows = exportDeliveries(database, id, filter, format);
      const name = encodeURIComponent(`${params.refId}.${format}`);
      return reply
        .type(CONTENT_TYPES[format])
        .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
        .send(Readable.from(rows, { objectMode: false }));
    },
  );

  server.get<{ Querystring: Type.Static<typeof SearchQuery> }>(
    '/v1.0/ota/vehicles',
    describeRoute('read', {
      tags,
      summary: 'Search vehicles by VIN across all operations',
      querystring: SearchQuery,
      response: { 200: json(pageOf(Found), 'By VIN, newest operation first for each.') },
    }),
    async ({ query: { vin, limit, cursor } }) => {
      const after = parseFound(FOUND.read(cursor));
      const rows = await searchDeliveries(database, vin.toUpperCase(), { after, limit });
      return page(
        rows,
        limit,
        FOUND,
        (row) => `${row.vin} ${row.operation_id}`,
        (row) => ({ 'ref-id': row.ref_id, ...vehicleBody(row) }),
      );
    },
  );
}

function vehicleRoutes(server: Server, context: HttpContext): void {
  const { database } = context;

  server.get<{ Params: Type.Static<typeof VinParams> }>(
    '/v1.0/ota/vehicles/:vin',
    describeRoute('read', {
      tags,
      summary: 'One vehicle: its registration, its operations, and what it has installed',
      params: VinParams,
      response: { 200: json(WholeVehicle, 'It.') },
    }),
    async ({ params }) => {
      const vin = params.vin.toUpperCase();
      const page = { after: undefined, limit: MAX_OPERATIONS };
      const found = await searchDeliveries(database, vin, page);
      const vehicle = await findVehicle(database, vin);
      if (!vehicle && found.length === 0) {
        throw notFound(
          'DEVICE_NOT_FOUND',
          `neither the registry nor an operation has vehicle ${vin}`,
        );
      }
      const installed = await installedVersions(database, vin);
      return {
        vin,
        registration: vehicle ? registrationBody(vehicle) : null,
        operations: found.map((row) => ({ 'ref-id': row.ref_id, ...vehicleBody(row) })),
        installed: installed.map(({ ref_id, ...rest }) => ({ ...rest, 'ref-id': ref_id })),
      };
    },
  );

  server.get<{ Params: Type.Static<typeof MessageParams> }>(
    '/v1.0/ota/operations/:refId/vehicles/:vin/messages/:messageId',
    describeRoute('read', {
      tags,
      summary: 'A message of a vehicle, raw',
      params: MessageParams,
      response: { 200: json(RawMessageBody, 'It.') },
    }),
    async ({ params: { refId, vin, messageId } }) => {
      const operation = await operationWithVehicles(context, refId);
      const of = { operationId: operation.id, refId, vin: vin.toUpperCase() };
      const message = await findMessage(database, of, messageId);
      if (!message) throw notFound('MESSAGE_NOT_FOUND', `there is no message '${messageId}'`);
      return message;
    },
  );
}

function parseFound(position: string | undefined): FoundPosition | undefined {
  const [vin, id] = position?.split(' ') ?? [];
  return vin === undefined ? undefined : { vin, operationId: Number(id) };
}
