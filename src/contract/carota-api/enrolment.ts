/** The part of enrolment that people use; vehicles themselves speak EST (RFC 7030). */
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
    system_id: Type.String({ description: 'The user name to use with the code.' }),
    code: Type.String({ description: 'Shown only once; the server stores only its hash.' }),
    expiresAt: Time,
  },
  { title: 'EnrolmentCode' },
);

const IssuedCertificate = Type.Object(
  {
    serial: Type.String({ description: 'Serial number, hexadecimal; needed for revocation.' }),
    system_id: Type.String(),
    issuedAt: Time,
    expiresAt: Time,
    revokedAt: Nullable(Time),
  },
  { title: 'IssuedCertificate' },
);

/** Routes for client certificates of vehicles: codes for enrolment, and issued certificates. */
export const enrolmentApi = routesOf('Certificates', {
  createEnrolmentCode: {
    method: 'POST',
    path: '/v1.0/vehicles/{vin}/enrolment-codes',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'create-enrolment-code',
    freshSignIn: true,
    summary: 'Create a one-time code for the vehicle’s first client certificate',
    description:
      'Used in EST `simpleenroll` with HTTP Basic: the `system_id` and this code. The code is valid for one key and invalidates the previous code. The vehicle must have a `system_id`.',
    params: VinParams,
    body: optionalJsonBody(
      Type.Object(
        {
          hours: Type.Integer({
            minimum: 1,
            maximum: MAX_HOURS,
            default: 24,
            description: 'How long the code is valid.',
          }),
        },
        { title: 'NewEnrolmentCode', additionalProperties: false },
      ),
      'How long the code is valid; without a body, 24 hours.',
    ),
    answer: json(EnrolmentCode, 'The code, shown only once.', 201),
    errors: ['VEHICLE_NOT_FOUND', 'SYSTEM_ID_MISSING'],
  },
  listCertificates: {
    method: 'GET',
    path: '/v1.0/vehicles/{vin}/certificates',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the client certificates issued to a vehicle',
    description:
      'At most 100: first the valid ones (at most 20 per vehicle), newest first, then revoked and expired ones.',
    params: VinParams,
    answer: json(listOf(IssuedCertificate), 'The certificates.'),
    errors: ['VEHICLE_NOT_FOUND'],
  },
});
