/** `/v1.0/revoked-certificates`: client certificates of vehicles that were revoked. */
import { type FastifyInstance } from 'fastify';
import { certificateApi } from '../../contract/index.js';
import { recordRequest } from '../audit/index.js';
import { type Database } from '../database/index.js';
import {
  listRevokedCertificates,
  revokeCertificate,
  type RevokedCertificate,
} from '../vehicle-tls/index.js';
import { listCursor } from './cursor.js';
import { page } from './pages.js';
import { callerOf, serve } from './serve.js';

interface CertificateContext {
  readonly database: Database;
  readonly reading: Database;
  /** ms */
  readonly clock: () => number;
}

const REVOKED = listCursor('revoked-certificates', /^[1-9a-f][0-9a-f]{0,39}$/);

export function certificateRoutes(
  server: FastifyInstance,
  { database, reading, clock }: CertificateContext,
): void {
  serve(server, certificateApi.revokeCertificate, async ({ request, params, body }) => {
    const serial = params.serial.toLowerCase().replace(/^0+/, '');
    const by = callerOf(request).name;
    const { reason } = body;
    const now = clock();
    const revoked = await database.transaction(async (tx) => {
      const stored = await revokeCertificate(tx, { serial, by, reason }, now);
      await recordRequest(tx, now, { subject: serial, detail: { reason } });
      return stored;
    });
    return revocationBody(revoked);
  });

  serve(server, certificateApi.listRevokedCertificates, async ({ query: { limit, cursor } }) => {
    const rows = await listRevokedCertificates(reading, REVOKED.read(cursor) ?? '', limit);
    return page(rows, limit, REVOKED, ({ serial }) => serial, revocationBody);
  });
}

const revocationBody = (row: RevokedCertificate) => ({
  serial: row.serial,
  revokedAt: row.revoked_at,
  revokedBy: row.revoked_by,
  reason: row.reason,
});
