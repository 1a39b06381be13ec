/** `/v1.0/vehicles/{vin}/ecus`: the ECUs of a vehicle, as the Director knows them (Uptane, "Inventory Database"). */
import { ECU, VIN } from '../campaign.js';
import Type from '../typebox.js';
import {
  json,
  jsonBody,
  linesBody,
  Nullable,
  Reason,
  routesOf,
  Time,
  TimeOf,
  VinParams,
} from '../http/index.js';
import { EcuName } from '../update-script/index.js';
import { Identifier, PrintableText } from '../values/text.js';
import { MetadataKey } from './public-key.js';
import { ImportResult } from './vehicles.js';

/** Serial number, by which the Director addresses an ECU: 1 to 100 printable characters. */
const Serial = PrintableText({
  minLength: 1,
  maxLength: 100,
  description: 'Serial number (ECU identifier), unique in the vehicle.',
  examples: ['HU-4711'],
});

/** A registered ECU. */
export const EcuRegistration = Type.Object(
  {
    serial: Serial,
    // The Primary's is OTA-MANAGER.
    name: EcuName,
    hardwareId: Identifier('Hardware id, to which images refer.'),
    publicKey: MetadataKey,
    isPrimary: Type.Boolean({
      description: 'Exactly one ECU of a vehicle is its Primary, which runs the OTA manager.',
    }),
  },
  { additionalProperties: false, title: 'EcuRegistration' },
);
/** A value that fits the schema {@link EcuRegistration}. */
export type EcuRegistration = Type.Static<typeof EcuRegistration>;

/** Most ECUs of one vehicle. */
const MAX_ECUS = 200;

/** All ECUs of a vehicle. */
export const EcuRegistrations = Type.Object(
  {
    ecus: Type.Array(EcuRegistration, { minItems: 1, maxItems: MAX_ECUS }),
    reason: Type.Optional(Reason),
  },
  { additionalProperties: false, title: 'EcuRegistrations' },
);
/** A value that fits the schema {@link EcuRegistrations}. */
export type EcuRegistrations = Type.Static<typeof EcuRegistrations>;

/** The ECU that takes the place of another one; its name and role in the vehicle stay. */
export const EcuReplacement = Type.Object(
  {
    serial: Serial,
    hardwareId: Identifier('Hardware id, to which images refer.'),
    publicKey: MetadataKey,
    reason: Type.Optional(Reason),
  },
  { additionalProperties: false, title: 'EcuReplacement' },
);
/** A value that fits the schema {@link EcuReplacement}. */
export type EcuReplacement = Type.Static<typeof EcuReplacement>;

/** An image as an ECU reports it, and as it is ordered for one. */
export const EcuImage = Type.Object(
  {
    path: Type.String({ description: 'Target path in the image repository.' }),
    length: Type.Integer({ description: 'Bytes.' }),
    hashes: Type.Record(Type.String(), Type.String(), { description: 'Digests by algorithm.' }),
    releaseCounter: Type.Integer(),
  },
  { title: 'EcuImage' },
);
/** A value that fits the schema {@link EcuImage}. */
export type EcuImage = Type.Static<typeof EcuImage>;

/** How an ECU's installed image compares with the ordered one. */
export const ECU_STANDINGS = ['unknown', 'as-ordered', 'pending', 'differs'] as const;

/** A registered ECU, with its reports and orders. */
export const Ecu = Type.Object(
  {
    serial: Type.String(),
    name: Type.String(),
    hardwareId: Type.String(),
    publicKey: MetadataKey,
    keyId: Type.String({ description: 'SHA-256 of the key’s canonical JSON.' }),
    isPrimary: Type.Boolean(),
    registeredAt: Time,
    reportedAt: Nullable(Time, 'Time of its last accepted report, by its own clock.'),
    installed: Nullable(EcuImage, 'The installed image, as reported by the ECU.'),
    ordered: Nullable(EcuImage, 'The image that was ordered most recently.'),
    isDue: Type.Boolean({ description: 'Whether the order is still in effect.' }),
    standing: Type.Enum([...ECU_STANDINGS], {
      title: 'EcuStanding',
      description:
        '`as-ordered`: the ECU has the image that was ordered most recently. `pending`: not yet. `differs`: the order has ended, and the ECU has another image. `unknown`: nothing was ordered or reported.',
    }),
  },
  { title: 'Ecu' },
);
/** A value that fits the schema {@link Ecu}. */
export type Ecu = Type.Static<typeof Ecu>;

const DirectorFile = Type.Object(
  { version: Type.Integer(), expires: TimeOf('Vehicles reject the file after this time.') },
  { title: 'DirectorFile' },
);

/** The ECUs of a vehicle, its last manifests, and its order. */
export const VehicleEcus = Type.Object(
  {
    ecus: Type.Array(Ecu, { description: 'The Primary first, then by serial number.' }),
    manifestAt: Nullable(Time, 'When the latest manifest was accepted.'),
    refused: Nullable(
      Type.Object(
        {
          at: TimeOf('Time of the latest one.'),
          fault: Type.String(),
          serial: Nullable(Type.String()),
          message: Type.String(),
          count: Type.Integer({ description: 'Number of refused manifests.' }),
        },
        { title: 'RefusedManifest' },
      ),
      'The latest refused manifest.',
    ),
    order: Nullable(
      Type.Object(
        {
          'ref-id': Type.String({ description: 'The schedule.' }),
          'script-ref-id': Type.String(),
          blocked: Nullable(
            Type.String(),
            'Why the Director does not list the update; null: it is listed.',
          ),
          later: Type.Array(Type.String(), {
            description: 'ref-ids of the schedules that follow after this one.',
          }),
        },
        { title: 'DirectorOrder' },
      ),
      'Updates due from running schedules.',
    ),
    metadata: Nullable(
      Type.Object(
        {
          timestamp: DirectorFile,
          snapshot: DirectorFile,
          targets: DirectorFile,
        },
        { title: 'DirectorFiles' },
      ),
      'The metadata that the Director most recently signed for the vehicle; null: the vehicle has not requested any.',
    ),
  },
  { title: 'VehicleEcus' },
);
/** A value that fits the schema {@link VehicleEcus}. */
export type VehicleEcus = Type.Static<typeof VehicleEcus>;

/** The last manifest that was accepted, as it came. */
export const StoredManifest = Type.Object(
  {
    acceptedAt: Time,
    manifest: Type.Object(
      {
        signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String() })),
        signed: Type.Object({}, { additionalProperties: true }),
      },
      { title: 'SignedFile', description: 'A signed file of Uptane (POUF, section 2).' },
    ),
  },
  { title: 'StoredManifest' },
);
/** A value that fits the schema {@link StoredManifest}. */
export type StoredManifest = Type.Static<typeof StoredManifest>;

const EcuParams = Type.Object({ ...VinParams.properties, serial: Serial });

/** Routes for the ECUs of vehicles. */
export const ecuApi = routesOf('ECUs', {
  listEcus: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}/ecus',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get the ECUs of a vehicle: registered, reported and ordered',
    params: VinParams,
    answer: json(VehicleEcus, 'The ECUs.'),
    errors: ['VEHICLE_NOT_FOUND'],
  },
  getManifest: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}/manifest',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get the latest accepted vehicle version manifest, with its signatures',
    params: VinParams,
    answer: json(StoredManifest, 'The manifest.'),
    errors: ['VEHICLE_NOT_FOUND', 'MANIFEST_NOT_FOUND'],
  },
  putEcus: {
    audit: 'register-ecus',
    method: 'PUT',
    path: '/v1.0/vehicles/{vin}/ecus',
    permission: 'administer',
    scope: 'unscoped-only',
    summary: 'Register the ECUs of a vehicle, replacing its previous ones',
    params: VinParams,
    body: jsonBody(EcuRegistrations, 'All ECUs of the vehicle.', { maxBytes: 1024 * 1024 }),
    answer: json(VehicleEcus, 'The registered ECUs.'),
    errors: ['VEHICLE_NOT_FOUND', 'ECU_CONFLICT'],
  },
  replaceEcu: {
    method: 'POST',
    path: '/v1.0/vehicles/{vin}/ecus/{serial}/replacement',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'replace-ecu',
    summary: 'Replace an ECU, for example in a workshop',
    description:
      'The new ECU takes the name of the old one. From then on, a manifest must contain the new ECU’s report, and the old one’s is refused.',
    params: EcuParams,
    body: jsonBody(EcuReplacement, 'The new ECU.', { maxBytes: 64 * 1024 }),
    answer: json(VehicleEcus, 'The ECUs after the replacement.'),
    errors: ['VEHICLE_NOT_FOUND', 'ECU_NOT_FOUND', 'ECU_CONFLICT'],
  },
  importEcus: {
    method: 'POST',
    path: '/v1.0/ecus/import',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'register-ecus',
    load: 'upload',
    summary: 'Import ECUs from CSV or NDJSON',
    description:
      'One vehicle per line: vin, and ecus in the format of PUT; in CSV the column ecus contains JSON. Streamed, of any length, optionally gzip. A faulty line is reported and does not stop the others.',
    body: linesBody('One vehicle per line.', {
      csv: `vin,ecus\n${VIN},"${JSON.stringify([ECU]).replaceAll('"', '""')}"\n`,
      ndjson: `${JSON.stringify({ vin: VIN, ecus: [ECU] })}\n`,
    }),
    answer: json(ImportResult, 'The outcome.'),
    repeatable: true,
  },
});
