/** `/v1.0/vehicles`: the vehicles that schedules choose from. */
import { MODEL, VIN } from '../campaign.js';
import Type from '../typebox.js';
import { REJECTED_LINES } from '../common-api/line-import.js';
import {
  empty,
  json,
  jsonBody,
  linesBody,
  Nullable,
  pageOf,
  PageQuery,
  routesOf,
  Time,
  VinParams,
} from '../http/index.js';
import { EcuName, Version } from '../update-script/index.js';
import { Pattern } from '../values/pattern.js';
import { CONTROLS, Identifier, SURROGATES, SystemId, Text } from '../values/text.js';
import { EVENTS } from './vehicle-events.js';

const Tag = Pattern(
  `^[^;${CONTROLS}${SURROGATES}]+$`,
  'must not be empty and must not contain ; or control characters',
  { maxLength: 100 },
);

/** What the CarOTA Server stores of a vehicle: model, tags, versions. */
export const VehicleFacts = Type.Object(
  {
    model: Identifier('Vehicle model.'),
    system_id: Type.Optional(SystemId),
    tags: Type.Optional(
      Type.Array(Tag, {
        maxItems: 100,
        description: 'Free tags by which schedules select vehicles.',
      }),
    ),
    versions: Type.Optional(
      Type.Record(EcuName, Version, {
        additionalProperties: false,
        maxProperties: 1_000,
        propertyNames: EcuName,
        description: 'Installed version of each ECU, if known.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'VehicleFacts',
    examples: [{ model: 'vehicle model a', tags: ['staff'], versions: { HU: '1.3.7' } }],
  },
);
/** A value that fits the schema {@link VehicleFacts}. */
export type VehicleFacts = Type.Static<typeof VehicleFacts>;

/** A vehicle that schedules can update. */
export const Vehicle = Type.Object(
  {
    vin: Type.String(),
    system_id: Nullable(
      Type.String({ description: 'Name of its client certificate (contract section 9).' }),
    ),
    model: Type.String(),
    tags: Type.Array(Type.String()),
    versions: Type.Record(Type.String(), Type.String(), {
      description: 'Installed version of each ECU.',
    }),
    updatedAt: Time,
  },
  { title: 'Vehicle' },
);
/** A value that fits the schema {@link Vehicle}. */
export type Vehicle = Type.Static<typeof Vehicle>;

/** A vehicle with its events. */
export const VehicleWithEvents = Type.Object(
  { ...Vehicle.properties, ...EVENTS },
  { title: 'VehicleWithEvents' },
);
/** A value that fits the schema {@link VehicleWithEvents}. */
export type VehicleWithEvents = Type.Static<typeof VehicleWithEvents>;

/** Outcome of an import: number of stored lines, and the rejected lines. */
export const ImportResult = Type.Object(
  { imported: Type.Integer(), ...REJECTED_LINES },
  { title: 'ImportResult' },
);
/** A value that fits the schema {@link ImportResult}. */
export type ImportResult = Type.Static<typeof ImportResult>;

/** Routes for the vehicles that schedules can update. */
export const vehicleApi = routesOf('Vehicles', {
  listVehicles: {
    method: 'GET',
    path: '/v1.0/vehicles',
    permission: 'read',
    scope: 'filtered',
    summary: 'List the vehicles, sorted by VIN',
    query: Type.Object({
      ...PageQuery.properties,
      model: Type.Optional(Text(256, 'Only vehicles of this model.')),
      tag: Type.Optional(Text(100, 'Only vehicles with this tag.')),
    }),
    answer: json(pageOf(Vehicle), 'A page of vehicles.'),
  },
  importVehicles: {
    method: 'POST',
    path: '/v1.0/vehicles/import',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'import-vehicles',
    load: 'upload',
    summary: 'Import vehicles from CSV or NDJSON',
    description:
      'Streamed. CSV columns: vin, model, system_id, tags (separated by ;), version:<ecu>. NDJSON has tags as an array and versions as an object. A faulty line is reported and does not stop the others. Setting or changing a system_id requires the permission administer: without it, such a line is rejected with FORBIDDEN.',
    body: linesBody('One vehicle per line.', {
      csv: `vin,model,tags,version:HU\n${VIN},${MODEL},staff;pilot,1.3.7\n`,
      ndjson: `${JSON.stringify({ vin: VIN, model: MODEL, tags: ['staff', 'pilot'], versions: { HU: '1.3.7' } })}\n`,
    }),
    answer: json(ImportResult, 'The outcome.'),
    repeatable: true,
  },
  getVehicle: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}',
    permission: 'read',
    scope: 'vehicle',
    summary: 'Get a vehicle: installed versions and events',
    params: VinParams,
    answer: json(VehicleWithEvents, 'The vehicle.'),
    errors: ['VEHICLE_NOT_FOUND'],
  },
  putVehicle: {
    method: 'PUT',
    path: '/v1.0/vehicles/{vin}',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'change-vehicle',
    summary: 'Add or replace a vehicle',
    description:
      'Versions of ECUs missing from the body are kept, as is a missing system_id. Setting or changing a system_id requires the permission administer (403) and revokes the certificates that this server issued for the previous system_id.',
    params: VinParams,
    body: jsonBody(VehicleFacts, 'Model, tags and installed versions.'),
    answer: json(Vehicle, 'The stored vehicle.'),
    errors: ['SYSTEM_ID_TAKEN'],
  },
  eraseVehicle: {
    method: 'DELETE',
    path: '/v1.0/vehicles/{vin}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'erase-vehicle',
    summary: 'Erase the personal data of a vehicle',
    description:
      'Deletes all data that concerns only the vehicle, including its tokens, and revokes the certificates that this server issued to it. Ended schedules are kept, but the VIN in them, and in archived dossiers with pseudonyms, is replaced by an irreversible pseudonym. The audit log keeps its entries. Refused while the vehicle is in a schedule that has not ended. Delete its registration at the adapter first: otherwise its messages bring the VIN back.',
    params: VinParams,
    answer: empty('Erased.'),
    errors: ['VEHICLE_NOT_FOUND', 'SCHEDULE_STATUS'],
  },
});
