/** `/uptane/director`: what Primaries ask the Director repository (contract section 8, Uptane wire format). */
import Type from '../typebox.js';
import {
  empty,
  json,
  pageOf,
  PageQuery,
  routesOf,
  stream,
  Time,
  VinParams,
} from '../http/index.js';
import { signedJsonBody } from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { Vin } from '../values/vin.js';
import { DirectorRepositoryStatus } from './repository-status.js';

const Envelope = Type.Object(
  {
    signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String() })),
    signed: Type.Object({}, { additionalProperties: true }),
  },
  { title: 'SignedFile', description: 'A signed file of Uptane (POUF, section 2).' },
);

/** Largest manifest, bytes. */
const MAX_MANIFEST = 1_000_000;
/** Largest request for the time, bytes. */
const MAX_TIME_REQUEST = 16_384;

const TimeRequest = Type.Object(
  {
    nonces: Type.Array(
      Pattern('^[0-9a-f]{32}$', 'must be 32 hexadecimal digits in lower case', {
        description: '16 random bytes, hexadecimal.',
        maxLength: 32,
      }),
      { minItems: 1, maxItems: 100 },
    ),
  },
  { title: 'TimeRequest' },
);

/** An attack that an ECU has reported. */
export const AttackReport = Type.Object(
  {
    id: Type.Integer(),
    vin: Type.String(),
    serial: Type.String({ description: 'Serial number of the reporting ECU.' }),
    attack: Type.String(),
    reason: Type.String({ description: 'Description of the latest attack.' }),
    firstAt: Time,
    lastAt: Time,
    count: Type.Integer({ description: 'Number of reports.' }),
  },
  { title: 'AttackReport' },
);
/** A value that fits the schema {@link AttackReport}. */
export type AttackReport = Type.Static<typeof AttackReport>;

const ForVehicle = Type.Object({ ...PageQuery.properties, vin: Type.Optional(Vin) });

/** Routes of the Director repository, for vehicles and for people. */
export const directorApi = routesOf('Director', {
  sendManifest: {
    method: 'POST',
    path: '/uptane/director/{vin}/manifest',
    permission: 'fetch',
    scope: 'unscoped-only',
    unaudited: 'a vehicle reports; each report is stored unchanged',
    summary: 'Send a vehicle version manifest (for Primaries)',
    description:
      'The reports of all ECUs of the vehicle, each signed with the ECU’s own key, and the whole manifest signed by the Primary. Each report is accepted once.',
    params: VinParams,
    body: signedJsonBody(Envelope, 'The manifest (POUF, section 9).', MAX_MANIFEST),
    answer: empty('Accepted.'),
    errors: ['VEHICLE_NOT_FOUND', 'MANIFEST_REFUSED', 'CLOCK_WRONG'],
  },
  askTime: {
    method: 'POST',
    path: '/uptane/director/{vin}/time',
    permission: 'fetch',
    scope: 'unscoped-only',
    unaudited: 'changes nothing',
    summary: 'Request the current time, signed together with the requesters’ nonces',
    params: VinParams,
    body: signedJsonBody(TimeRequest, 'Nonces.', MAX_TIME_REQUEST),
    answer: stream('application/json', 'The time (POUF, section 10).', Envelope),
    errors: ['VEHICLE_NOT_FOUND', 'CLOCK_WRONG'],
  },
  getDirectorMetadata: {
    method: 'GET',
    path: '/uptane/director/{vin}/{file}',
    permission: 'fetch',
    scope: 'unscoped-only',
    summary: 'Fetch a metadata file of the Director repository for a vehicle',
    description:
      'Contains only the current files and every version of the root. Due updates are determined when the timestamp or the targets are fetched.',
    params: Type.Object({
      ...VinParams.properties,
      file: Pattern(
        '^([1-9][0-9]{0,15}\\.(root|snapshot|targets)|timestamp)\\.json$',
        'must be timestamp.json, or N.root.json, N.snapshot.json or N.targets.json',
        {
          maxLength: 30,
          description: 'Name of the file.',
          examples: ['timestamp.json', '1.root.json'],
        },
      ),
    }),
    answer: stream('application/json', 'The file, never compressed.', Envelope),
    errors: ['VEHICLE_NOT_FOUND', 'METADATA_NOT_FOUND', 'CLOCK_WRONG'],
  },
  getDirectorRepository: {
    method: 'GET',
    path: '/v1.0/director-repository',
    permission: 'read',
    scope: 'unscoped-only',
    summary:
      'Get the state of the Director repository: root, keys, expiry, and roles signed online',
    answer: json(DirectorRepositoryStatus, 'The current state.'),
  },
  listAttackReports: {
    method: 'GET',
    path: '/v1.0/attack-reports',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the attacks that ECUs have reported, newest first',
    query: ForVehicle,
    answer: json(pageOf(AttackReport), 'A page of reports.'),
  },
});
