/**
 * Enrolment over secure transport (EST, RFC 7030) on the port for vehicles, and the related actions of people. The first
 * certificate requires a one-time code or a certificate of the factory, each further one the previous certificate.
 */
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { enrolmentApi } from '../../../contract/carota-api/index.js';
import { recordRequest } from '../../../service/audit/index.js';
import { clientAddress } from '../../../service/limits/index.js';
import { type CertifiedVehicle } from '../../../service/vehicle-tls/index.js';
import {
  bodyLimitOf,
  callerOf,
  guarded,
  Problem,
  readBytes,
  serve,
  type Server,
  type VehicleDoor,
} from '../../../service/http/index.js';
import { base64Lines, CSR_ATTRIBUTES, writeCertsOnly } from '../../../x509/index.js';
import {
  AuthorityUnavailable,
  checkRequest,
  type CheckedRequest,
  createCode,
  type Enrolment,
  HolderRefused,
  listIssued,
  type Requester,
  RequestRefused,
  useBootstrap,
  useCode,
} from '../../enrolment/index.js';
import { findBySystemId, findVehicle } from '../../vehicles/index.js';
import { type CarotaContext } from '../context.js';

const HOUR_MS = 60 * 60 * 1000;
const HOURS = 24;
const MOST_LISTED = 100;
/** A request with an RSA key of 4096 bits has 2 KiB. */
const MAX_REQUEST = { maxBytes: 16 * 1024, gzip: false };
const BASE = '/.well-known/est';

export function enrolmentRoutes(server: Server, context: CarotaContext): void {
  const { database, clock, enrolment, vehicles } = context;

  serve(server, enrolmentApi.createEnrolmentCode, async ({ request, params, body }) => {
    const vin = params.vin.toUpperCase();
    const systemId = await systemIdOf(context, vin);
    if (systemId === null) {
      throw new Problem('SYSTEM_ID_MISSING', `vehicle ${vin} has no system_id`);
    }
    const now = clock();
    const until = now + (body?.hours ?? HOURS) * HOUR_MS;
    const by = callerOf(request).name;
    const code = await database.transaction(async (tx) => {
      const created = await createCode(tx, { vin, by, now, until });
      await recordRequest(tx, now, { vin, subject: systemId });
      return created;
    });
    return { system_id: systemId, code, expiresAt: new Date(until) };
  });

  serve(server, enrolmentApi.listCertificates, async ({ params }) => {
    const systemId = await systemIdOf(context, params.vin.toUpperCase());
    const rows =
      systemId === null ? [] : await listIssued(database, systemId, clock(), MOST_LISTED);
    const items = rows.map((row) => ({
      serial: row.serial,
      system_id: row.system_id,
      issuedAt: row.issued_at,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
    }));
    return { items };
  });

  if (enrolment && vehicles) {
    // In a separate scope, because only these routes accept such bodies.
    server.register((scope, _options, done) => {
      estRoutes(scope, context, enrolment, vehicles);
      done();
    });
  }
}

/** @throws Problem 404 */
async function systemIdOf({ database }: CarotaContext, vin: string): Promise<string | null> {
  const vehicle = await findVehicle(database, vin);
  if (!vehicle) throw new Problem('VEHICLE_NOT_FOUND', `there is no vehicle ${vin}`);
  return vehicle.system_id;
}

function estRoutes(
  scope: FastifyInstance,
  context: CarotaContext,
  enrolment: Enrolment,
  door: VehicleDoor,
): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/pkcs10', (request: FastifyRequest) =>
    readBytes(request.raw, bodyLimitOf(request)),
  );
  scope.addHook('onRequest', (request, _reply, done) => {
    const isHere = door.isAt(request);
    done(
      isHere
        ? undefined
        : new Problem('NOT_FOUND', 'EST is available on the port for vehicles only'),
    );
  });
  const hidden = { schema: { hide: true } };
  const taking = { ...hidden, config: { body: MAX_REQUEST } };

  scope.get(`${BASE}/cacerts`, hidden, (_request, reply) =>
    answer(reply, CERTS, writeCertsOnly(enrolment.chain)),
  );

  scope.get(`${BASE}/csrattrs`, hidden, (_request, reply) =>
    answer(reply, 'application/csrattrs', CSR_ATTRIBUTES),
  );

  const byCertificate = async (request: FastifyRequest, reply: FastifyReply) => {
    const { systemId, serial } = door.certified(request);
    const requester = requesterOf(request, systemId, `certificate ${serial}`);
    return noting(request, requester, async () => {
      const vin = await findBySystemId(context.database, systemId);
      if (vin === undefined) throw unknownVehicle(systemId);
      const checked = checkedRequest(request, systemId);
      return issued(enrolment, checked, { ...requester, vin }, reply);
    });
  };

  const byBootstrap = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { systemId, serial }: CertifiedVehicle,
  ) => {
    const { database, clock } = context;
    const requester = requesterOf(request, systemId, `bootstrap certificate ${serial}`);
    return noting(request, requester, async () => {
      const checked = checkedRequest(request, systemId);
      const { publicKeyInfo } = checked;
      const use = { systemId, serial, publicKeyInfo, now: clock() };
      const used = await database.transaction((tx) => useBootstrap(tx, use));
      if (used.outcome === 'unknown') throw unknownVehicle(systemId);
      if (used.vin === undefined) {
        throw new Problem('BOOTSTRAP_USED', `${systemId} has enrolled before, with another key`);
      }
      return issued(enrolment, checked, { ...requester, vin: used.vin }, reply);
    });
  };

  scope.post(`${BASE}/simpleenroll`, taking, async (request, reply) => {
    const { authorization } = request.headers;
    const bootstrapped = authorization === undefined ? door.bootstrapped(request) : undefined;
    if (bootstrapped) return byBootstrap(request, reply, bootstrapped);
    // With a certificate, a code is not needed.
    if (authorization === undefined && hasCertificate(door, request)) {
      return byCertificate(request, reply);
    }
    const { checked, vin } = await checkedByCode(context, request, reply);
    const requester = requesterOf(request, checked.systemId, 'enrolment code');
    return noting(request, { ...requester, vin }, () =>
      issued(enrolment, checked, { ...requester, vin }, reply),
    );
  });

  scope.post(`${BASE}/simplereenroll`, taking, byCertificate);
}

const requesterOf = (request: FastifyRequest, systemId: string, id: string) => ({
  by: { id, name: systemId, reason: '' },
  address: addressOf(request),
});

/** Address of the socket: there is no proxy in front of this port, so a header about the address cannot be trusted. */
const addressOf = ({ raw }: FastifyRequest) => clientAddress(raw.socket.remoteAddress);

const unknownVehicle = (systemId: string) =>
  new Problem('UNAUTHORIZED', `no vehicle has the system_id ${systemId}`);

/** Refusals to authenticated vehicles are recorded in the audit log. */
async function noting<T>(
  { server }: FastifyRequest,
  { by, address, vin }: Omit<Requester, 'vin'> & { readonly vin?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isFailure = !(error instanceof Problem) || error.status >= 500;
    server.auditTrail.attempts.note({
      action: 'issue-certificate',
      ...{
        tokenId: by.id,
        tokenName: by.name,
        address,
        refId: null,
        vin: vin ?? null,
        subject: by.name,
      },
      reason: '',
      outcome: isFailure ? 'failed' : 'refused',
      errorCode: error instanceof Problem ? error.code : 'INTERNAL_ERROR',
    });
    throw error;
  }
}

const CERTS = 'application/pkcs7-mime; smime-type=certs-only';

const answer = (reply: FastifyReply, type: string, der: Uint8Array) =>
  reply.type(type).header('content-transfer-encoding', 'base64').send(base64Lines(der));

function hasCertificate(door: VehicleDoor, request: FastifyRequest): boolean {
  try {
    door.certified(request);
    return true;
  } catch {
    return false;
  }
}

/** @throws Problem 400 */
function checkedRequest({ body }: FastifyRequest, systemId: string): CheckedRequest {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new Problem('BODY_MISSING', 'the certification request is missing');
  }
  try {
    return checkRequest(body, systemId);
  } catch (error) {
    if (error instanceof RequestRefused) throw new Problem('REQUEST_REFUSED', error.message);
    throw error;
  }
}

/** @throws Problem 400, 401, 429 */
async function checkedByCode(
  { database, clock, vehicleSignIns }: CarotaContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<{ readonly checked: CheckedRequest; readonly vin: string }> {
  const unauthorized = (message: string) => {
    reply.header('www-authenticate', 'Basic realm="enrolment"');
    return new Problem('UNAUTHORIZED', message);
  };
  const given = basicIn(request.headers.authorization);
  if (!given) throw unauthorized('a client certificate, or system_id and one-time code, is needed');
  const attempt = {
    kind: 'vehicle',
    address: addressOf(request),
    name: given.systemId,
    secret: given.code,
  } as const;
  return guarded(vehicleSignIns, attempt, request.server.requestLimits.refused, async () => {
    // A blocked caller does not get a signature verified either.
    const checked = checkedRequest(request, given.systemId);
    const { publicKeyInfo } = checked;
    const vin = await useCode(database, { ...given, publicKeyInfo, now: clock() });
    if (vin === undefined) {
      throw unauthorized('the one-time code is wrong, has expired, or was used for another key');
    }
    return { checked, vin };
  });
}

/** HTTP Basic (RFC 7617). */
function basicIn(header = ''): { systemId: string; code: string } | undefined {
  const [, base64] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header) ?? [];
  if (base64 === undefined) return undefined;
  const text = Buffer.from(base64, 'base64').toString();
  const end = text.indexOf(':');
  // The database cannot store NUL, and no system_id contains it.
  if (end < 1 || text.includes('\0')) return undefined;
  return { systemId: text.slice(0, end), code: text.slice(end + 1) };
}

/** @throws Problem 401, 429, 503 */
async function issued(
  enrolment: Enrolment,
  request: CheckedRequest,
  requester: Requester,
  reply: FastifyReply,
) {
  try {
    const certificate = await enrolment.issue(request, requester);
    return await answer(reply, CERTS, writeCertsOnly([certificate]));
  } catch (error) {
    if (error instanceof HolderRefused) {
      const { code, message } = error;
      if (code === 'unknown') throw unknownVehicle(request.systemId);
      throw new Problem('TOO_MANY_CERTIFICATES', message, { retryAfterSeconds: 3_600 });
    }
    if (error instanceof AuthorityUnavailable) {
      throw new Problem('AUTHORITY_UNAVAILABLE', error.message, { retryAfterSeconds: 60 });
    }
    throw error;
  }
}
