/** Enrolment of vehicles, as far as people take part in it; vehicles themselves speak EST (RFC 7030). */
import Type from '../typebox.js';
import {
  json,
  listOf,
  Nullable,
  optionalJsonBody,
  routesOf,
  Time,
  VinParams,
} from '../http/index.js';

const MAX_HOURS = 30 * 24;

const EnrolmentCode = Type.Object(
  {
    system_id: Type.String({ description: 'The user name that belongs to the code.' }),
    code: Type.String({ description: 'Told once; only its hash is kept.' }),
    expiresAt: Time,
  },
  { title: 'EnrolmentCode' },
);

const IssuedCertificate = Type.Object(
  {
    serial: Type.String({ description: 'Serial number, hexadecimal, by which it can be revoked.' }),
    system_id: Type.String(),
    issuedAt: Time,
    expiresAt: Time,
    revokedAt: Nullable(Time),
  },
  { title: 'IssuedCertificate' },
);

export const enrolmentApi = routesOf('Certificates', {
  createEnrolmentCode: {
    method: 'POST',
    path: '/v1.0/vehicles/{vin}/enrolment-codes',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'create-enrolment-code',
    freshSignIn: true,
    summary: 'Make a one-time code, with which the vehicle gets its first client certificate',
    description:
      'EST `simpleenroll` with HTTP Basic: the `system_id` and this code. It is good for one key, and the one before it is void. The vehicle needs a `system_id`.',
    params: VinParams,
    body: optionalJsonBody(
      Type.Object(
        {
          hours: Type.Integer({
            minimum: 1,
            maximum: MAX_HOURS,
            default: 24,
            description: 'How long it can be used.',
          }),
        },
        { title: 'NewEnrolmentCode', additionalProperties: false },
      ),
      'How long it can be used; without a body, 24 hours.',
    ),
    answer: json(EnrolmentCode, 'The code, told once.', 201),
    errors: ['VEHICLE_NOT_FOUND', 'SYSTEM_ID_MISSING'],
  },
  listCertificates: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}/certificates',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the client certificates that were issued to a vehicle',
    description:
      'At most 100: valid ones first (a vehicle has at most 20), the newest of them first, then revoked and expired ones.',
    params: VinParams,
    answer: json(listOf(IssuedCertificate), 'The certificates.'),
    errors: ['VEHICLE_NOT_FOUND'],
  },
});
