/** `/v1.0/vehicles`: the vehicles that schedules choose from. */
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

export const VehicleFacts = Type.Object(
  {
    model: Identifier('Vehicle model.'),
    system_id: Type.Optional(SystemId),
    tags: Type.Optional(
      Type.Array(Tag, { maxItems: 100, description: 'Anything that schedules choose by.' }),
    ),
    versions: Type.Optional(
      Type.Record(EcuName, Version, {
        additionalProperties: false,
        maxProperties: 1_000,
        propertyNames: EcuName,
        description: 'Installed version of each ECU, where it is known.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'VehicleFacts',
    examples: [{ model: 'vehicle model a', tags: ['staff'], versions: { HU: '1.3.7' } }],
  },
);
export type VehicleFacts = Type.Static<typeof VehicleFacts>;

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
export type Vehicle = Type.Static<typeof Vehicle>;

export const VehicleWithEvents = Type.Object(
  { ...Vehicle.properties, ...EVENTS },
  { title: 'VehicleWithEvents' },
);
export type VehicleWithEvents = Type.Static<typeof VehicleWithEvents>;

export const ImportResult = Type.Object(
  { imported: Type.Integer(), ...REJECTED_LINES },
  { title: 'ImportResult' },
);
export type ImportResult = Type.Static<typeof ImportResult>;

export const vehicleApi = routesOf('Vehicles', {
  listVehicles: {
    method: 'GET',
    path: '/v1.0/vehicles',
    permission: 'read',
    scope: 'filtered',
    summary: 'List the vehicles in the order of their VINs',
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
      'Streamed. CSV columns: vin, model, system_id, tags (separated by ;), version:<ecu>. NDJSON has tags as an array and versions as an object. A faulty line is reported and does not stop the others. Setting or changing a system_id needs the permission administer: such a line of another caller is rejected with FORBIDDEN.',
    body: linesBody('One vehicle per line.'),
    answer: json(ImportResult, 'The outcome.'),
    repeatable: true,
  },
  getVehicle: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}',
    permission: 'read',
    scope: 'vehicle',
    summary: 'Read what is known of a vehicle: installed versions and events',
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
    summary: 'Add a vehicle, or replace what is known of it',
    description:
      'Versions of ECUs that the body does not name are kept, and so is a system_id that it does not give. Setting or changing a system_id needs the permission administer (403); the certificates that this server issued for the previous system_id are then revoked.',
    params: VinParams,
    body: jsonBody(VehicleFacts, 'Model, tags and installed versions.'),
    answer: json(Vehicle, 'The vehicle after it.'),
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
      'What is only about the vehicle is deleted, with its tokens, and the certificates that this server issued to it are revoked. In schedules that have ended, which are kept, its VIN gives way to a pseudonym that nobody can resolve any more; the same in archived dossiers with pseudonyms. The audit log keeps its entries. Refused while the vehicle is in a schedule that has not ended. Delete its registration at the adapter first: otherwise its messages bring the VIN back.',
    params: VinParams,
    answer: empty('Erased.'),
    errors: ['VEHICLE_NOT_FOUND', 'SCHEDULE_STATUS'],
  },
});
