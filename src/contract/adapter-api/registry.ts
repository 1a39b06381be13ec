/** `/v1.0/vehicles`: the registry VIN → system_id, primary device and model (contract section 4). */
import { DEVICE_ID, DEVICE_TYPE, MODEL, SYSTEM_ID, VIN } from '../campaign.js';
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
  VinPrefix,
} from '../http/index.js';
import { OptionalIdentifier, PrintableText, SystemId } from '../values/text.js';

/** A shorter credential could be guessed (NIST SP 800-63B-4, section 3.1.1.2: 15 characters). See `credentialFault`. */
export const MIN_CREDENTIAL_LENGTH = 16;
/** Maximum length of a credential, characters. */
export const MAX_CREDENTIAL_LENGTH = 256;

/** A vehicle's registration; a line of an import also has its `vin`. */
export const Registration = Type.Object(
  {
    system_id: SystemId,
    device_id: Type.Optional(OptionalIdentifier('Primary device.')),
    ecu_type: Type.Optional(OptionalIdentifier('Type of the primary device.')),
    model: Type.Optional(OptionalIdentifier('Vehicle model.')),
    credential: Type.Optional(
      PrintableText({
        minLength: MIN_CREDENTIAL_LENGTH,
        maxLength: MAX_CREDENTIAL_LENGTH,
        description:
          'Password for the embedded broker; a random secret. Refused if it has fewer than 6 different characters, repeats a shorter text, or has fewer than 8 characters beside the vehicle’s names. Stored hashed.',
      }),
    ),
  },
  {
    title: 'Registration',
    additionalProperties: false,
    examples: [
      {
        system_id: SYSTEM_ID,
        device_id: DEVICE_ID,
        ecu_type: DEVICE_TYPE,
        model: MODEL,
      },
    ],
  },
);
export type Registration = Type.Static<typeof Registration>;

/** Registration of a vehicle; its credential is not shown. */
export const RegisteredVehicle = Type.Object(
  {
    vin: Type.String(),
    system_id: Type.String(),
    device_id: Type.String(),
    ecu_type: Type.String(),
    model: Type.String(),
    registeredAt: Time,
    updatedAt: Time,
    floodedAt: Nullable(
      Type.String({ format: 'date-time' }),
      'When the vehicle last exceeded its message budget; null: never.',
    ),
  },
  { title: 'RegisteredVehicle' },
);
/** A value that fits the schema {@link RegisteredVehicle}. */
export type RegisteredVehicle = Type.Static<typeof RegisteredVehicle>;

/** A registration, with the credential if one was generated. */
export const NewlyRegistered = Type.Object(
  {
    ...RegisteredVehicle.properties,
    credential: Type.Optional(
      Type.String({
        description:
          'The password generated for a new vehicle registered without one. Shown only once.',
      }),
    ),
  },
  { title: 'NewlyRegistered' },
);
/** A value that fits the schema {@link NewlyRegistered}. */
export type NewlyRegistered = Type.Static<typeof NewlyRegistered>;

/** Outcome of an import: numbers of stored lines, and the rejected lines. */
export const ImportResult = Type.Object(
  {
    created: Type.Integer(),
    updated: Type.Integer(),
    ...REJECTED_LINES,
  },
  { title: 'ImportResult' },
);
/** A value that fits the schema {@link ImportResult}. */
export type ImportResult = Type.Static<typeof ImportResult>;

const ListQuery = Type.Object({ ...PageQuery.properties, vin: Type.Optional(VinPrefix) });

/** Routes for the registry of vehicles. */
export const registryApi = routesOf('Registry', {
  registerVehicle: {
    method: 'PUT',
    path: '/v1.0/vehicles/{vin}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'register-vehicle',
    // The generated credential is shown once, in an answer that may be lost.
    repeatable: false,
    summary: 'Register a vehicle, or change its registration',
    description:
      'If a new vehicle has no `credential`, one is generated and shown once in the answer. A registered vehicle keeps its credential unless the request contains one. A change ends the vehicle’s connection to the embedded broker (contract section 3).',
    params: VinParams,
    body: jsonBody(Registration, 'The registration, which replaces any previous one.'),
    answer: json(NewlyRegistered, 'Changed.'),
    otherAnswers: [{ status: 201, description: 'Registered.', schema: NewlyRegistered }],
    errors: ['SYSTEM_ID_TAKEN'],
  },
  getRegistration: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}',
    permission: 'read',
    scope: 'vehicle',
    summary: 'Get the registration of a vehicle',
    params: VinParams,
    answer: json(RegisteredVehicle, 'The registration.'),
    errors: ['DEVICE_NOT_FOUND'],
  },
  deleteRegistration: {
    method: 'DELETE',
    path: '/v1.0/vehicles/{vin}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'delete-vehicle',
    summary: 'Remove a vehicle from the registry',
    description: 'Its operations and their history are kept.',
    params: VinParams,
    answer: empty('Removed.'),
    errors: ['DEVICE_NOT_FOUND'],
  },
  listRegistrations: {
    method: 'GET',
    path: '/v1.0/vehicles',
    permission: 'read',
    scope: 'filtered',
    summary: 'List the registry in VIN order',
    query: ListQuery,
    answer: json(pageOf(RegisteredVehicle), 'A page of registrations.'),
  },
  importVehicles: {
    method: 'POST',
    path: '/v1.0/vehicles/import',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'import-vehicles',
    load: 'upload',
    summary: 'Import vehicles from CSV or NDJSON',
    description:
      'Streamed. Columns or fields: vin, system_id, device_id, ecu_type, model, credential. An invalid line is reported and does not stop the others.',
    body: linesBody('A line for each vehicle.', {
      csv: `vin,system_id,device_id,ecu_type,model\n${VIN},${SYSTEM_ID},${DEVICE_ID},${DEVICE_TYPE},${MODEL}\n`,
      ndjson: `${JSON.stringify({ vin: VIN, system_id: SYSTEM_ID, device_id: DEVICE_ID, ecu_type: DEVICE_TYPE, model: MODEL })}\n`,
    }),
    answer: json(ImportResult, 'The number of stored lines, and the rejected lines.'),
  },
});
