/** `/v1.0/revoked-certificates`: client certificates of vehicles that are no longer good (contract section 9). */
import Type from '../typebox.js';
import { json, jsonBody, pageOf, PageQuery, routesOf, Time } from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { Text } from '../values/text.js';

/** At most 20 octets (RFC 5280, section 4.1.2.2). */
const Serial = Pattern('^0*[1-9A-Fa-f][0-9A-Fa-f]*$', 'must be hexadecimal digits, not all zero', {
  maxLength: 40,
  description: 'Serial number, hexadecimal, as OpenSSL prints it.',
  examples: ['5B0C7D3A9E'],
});

/** A revoked client certificate, identified by its serial number. */
export const RevokedCertificate = Type.Object(
  {
    serial: Type.String({ description: 'Lower-case, without leading zeros.' }),
    revokedAt: Time,
    revokedBy: Type.String({ description: 'Name of the token that revoked it.' }),
    reason: Type.String(),
  },
  { title: 'RevokedCertificate' },
);

/** Routes that revoke client certificates of vehicles. */
export const certificateApi = routesOf('Certificates', {
  revokeCertificate: {
    method: 'PUT',
    path: '/v1.0/revoked-certificates/{serial}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'revoke-certificate',
    freshSignIn: true,
    summary: 'Revoke a client certificate of a vehicle permanently',
    description:
      'Takes effect on every process of this server within 5 seconds, including open connections, for certificates of any authority. A second call changes nothing and returns the first revocation.',
    params: Type.Object({ serial: Serial }),
    body: jsonBody(
      Type.Object(
        { reason: Text(1_000, 'The reason.', 1) },
        { title: 'Revocation', additionalProperties: false },
      ),
      'Reason for the revocation.',
    ),
    answer: json(RevokedCertificate, 'The revocation.'),
  },
  listRevokedCertificates: {
    method: 'GET',
    path: '/v1.0/revoked-certificates',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the revoked client certificates, sorted by serial number',
    query: PageQuery,
    answer: json(pageOf(RevokedCertificate), 'A page of revocations.'),
  },
});
