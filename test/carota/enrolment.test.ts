/**
 * Enrolment of vehicles (EST, RFC 7030) with OpenSSL and curl: a one-time code gives the first certificate, each
 * certificate the next one; only the key is taken from a request.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleOf, takingTurns } from '../support/depth.js';
import { openPostgres, type LanedDatabase } from '../../src/service/database/index.js';
import { DEFAULT_HTTP_LIMITS } from '../../src/service/limits/index.js';
import { eventually } from '../support/adapter.js';
import { vinOf } from '../support/messages.js';
import { openssl, OpensslAuthority, type Pair, runClient } from '../support/openssl-authority.js';
import { temporaryDirectory } from '../support/servers.js';
import {
  type Answer,
  certificateIn,
  errorCodeOf,
  est as estAt,
  type EstRequest,
  type Request,
  requestOf,
} from './support/openssl-vehicle.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(3);

/** Of the servers only. */
const servers = new OpensslAuthority('Servers');
const folder = temporaryDirectory('enrolment');
const enrolmentCa = join(folder, 'authority');
const ca = join(enrolmentCa, 'ca.pem');
let adapter: AdapterDouble;
let carota: TestCarota;
let database: LanedDatabase;
const { cert, key } = servers.server();
beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url, {
    vehiclePort: 0,
    vehicleTls: { cert, key, ca: undefined },
    enrolmentCa,
    // Separate from the limits for vehicles.
    signInLimits: { perAddress: 3, perName: 10 },
    // Only the other port is behind a proxy.
    httpLimits: { ...DEFAULT_HTTP_LIMITS, trustedProxies: ['127.0.0.1'] },
  });
  database = openPostgres({ url: carota.databaseUrl });
});
afterAll(async () => {
  await database.close();
  await carota.stop();
  await adapter.stop();
});

let number = 0;
interface Enrolling {
  readonly vin: string;
  readonly systemId: string;
  readonly code: string;
}
async function enrolling(): Promise<Enrolling> {
  const vin = vinOf(++number, 'EST');
  const systemId = `c2c-sys-${vin}`;
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, {
    body: { model: MODEL, system_id: systemId },
  });
  const { status, body } = await carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`);
  expect([status, body.system_id]).toEqual([201, systemId]);
  return { vin, systemId, code: body.code };
}

const est = (
  path: string,
  { carotaOf = carota, ...request }: EstRequest & { readonly carotaOf?: TestCarota } = {},
): Promise<Answer> => estAt({ url: carotaOf.carota.vehicleUrl, ca: servers.ca }, path, request);

const director = (vin: string, { cert: own, key: ownKey }: Pair) =>
  runClient('curl', [
    ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', servers.ca],
    ...['--cert', own, '--key', ownKey],
    `${carota.carota.vehicleUrl}/uptane/director/${vin}/1.root.json`,
  ]);

test('cacerts: OpenSSL reads the authority’s certificate; only the owner can read its key', async () => {
  const { cert: read } = certificateIn(await est('cacerts'), { key: '', csr: '' });
  const fingerprint = (file: string) => openssl(folder, 'x509', '-in', file, '-noout', '-fingerprint', '-sha256'); // prettier-ignore
  expect(fingerprint(read)).toBe(fingerprint(ca));
  expect(openssl(folder, 'x509', '-in', ca, '-noout', '-text')).toMatch(/CA:TRUE, pathlen:0/);
  expect(statSync(join(enrolmentCa, 'ca.key')).mode & 0o777).toBe(0o600);
});

test.runIf(isTurn())('csrattrs: OpenSSL reads that a P-256 key is wanted', async () => {
  const { status, type, text } = await est('csrattrs');
  expect([status, type]).toEqual([200, 'application/csrattrs']);
  const file = join(folder, 'csrattrs.der');
  writeFileSync(file, Buffer.from(text, 'base64'));
  const parsed = openssl(folder, 'asn1parse', '-inform', 'DER', '-in', file);
  expect(parsed).toMatch(/id-ecPublicKey[\s\S]*prime256v1[\s\S]*ecdsa-with-SHA256/);
});

test('a one-time code gives a certificate that OpenSSL verifies and the vehicle port accepts', async () => {
  const { vin, systemId, code } = await enrolling();
  const request = requestOf(`/CN=${systemId}`);
  const pair = certificateIn(
    await est('simpleenroll', { as: [systemId, code], csr: request.csr }),
    request,
  );
  expect(openssl(folder, 'verify', '-CAfile', ca, '-purpose', 'sslclient', '-x509_strict', pair.cert)).toContain('OK'); // prettier-ignore
  const text = openssl(folder, 'x509', '-in', pair.cert, '-noout', '-subject', '-ext', 'basicConstraints,keyUsage,extendedKeyUsage'); // prettier-ignore
  expect(text).toContain(`CN = ${systemId}`);
  expect(text).toContain('CA:FALSE');
  expect(text).toContain('TLS Web Client Authentication');
  expect((await director(vin, pair)).output).toBe('200');
  const { items } = (await carota.call('GET', `/v1.0/vehicles/${vin}/certificates`)).body;
  expect(items).toMatchObject([{ system_id: systemId, revokedAt: null }]);
});

test('a used code works again only for the same key, in case the answer was lost', async () => {
  const { systemId, code } = await enrolling();
  const [own, thief] = [requestOf(`/CN=${systemId}`), requestOf(`/CN=${systemId}`)];
  for (const [request, status] of [
    [own, 200],
    [own, 200],
    [thief, 401],
  ] as const) {
    expect((await est('simpleenroll', { as: [systemId, code], csr: request.csr })).status).toBe(
      status,
    );
  }
});

test('a code belongs to one vehicle, ignores case, and is void once a new one is issued', async () => {
  const [own, other] = [await enrolling(), await enrolling()];
  const { csr } = requestOf(`/CN=${own.systemId}`);
  const enrol = (code: string) => est('simpleenroll', { as: [own.systemId, code], csr });
  expect((await enrol(other.code)).status).toBe(401);
  const next = await carota.call('POST', `/v1.0/vehicles/${own.vin}/enrolment-codes`, {
    body: { hours: 1 },
  });
  expect((await enrol(own.code)).status).toBe(401);
  expect((await enrol(next.body.code.toLowerCase())).status).toBe(200);
});

test.runIf(isTurn())('an attacker who guesses codes has to wait', async () => {
  const { systemId } = await enrolling();
  const { csr } = requestOf(`/CN=${systemId}`);
  const statuses: number[] = [];
  for (let guess = 0; guess < 12; guess++) {
    // This port believes no proxy headers.
    const headers = [`x-forwarded-for: 192.0.2.${guess}`];
    const as = [systemId, `WRONG-${guess}`] as const;
    const { status } = await est('simpleenroll', { as, csr, headers });
    statuses.push(status);
  }
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
});

const BAD_REQUESTS: readonly [string, (systemId: string) => Request][] = [
  ['another name', () => requestOf('/CN=c2c-sys-other')],
  ['two names', (id) => requestOf(`/CN=${id}/CN=c2c-sys-other`)],
  ['no name', () => requestOf('/O=maker')],
  ['a short RSA key', (id) => requestOf(`/CN=${id}`, { newKey: ['rsa:1024'] })],
  [
    'another curve',
    (id) => requestOf(`/CN=${id}`, { newKey: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] }),
  ],
  ['a signature with SHA-1', (id) => requestOf(`/CN=${id}`, { extra: ['-sha1'] })],
  [
    'a foreign key in it',
    (id) => {
      const request = requestOf(`/CN=${id}`);
      const der = Buffer.from(readFileSync(request.csr, 'latin1'), 'base64');
      // Changes a byte of the signature.
      der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
      writeFileSync(request.csr, der.toString('base64'));
      return request;
    },
  ],
  [
    'no base64',
    (id) => {
      const request = requestOf(`/CN=${id}`);
      writeFileSync(request.csr, 'no request!');
      return request;
    },
  ],
  [
    'nothing but base64',
    (id) => {
      const request = requestOf(`/CN=${id}`);
      writeFileSync(request.csr, 'AAAA');
      return request;
    },
  ],
];
test.each(sampleOf(BAD_REQUESTS, 3))(
  'a request with %s is refused and does not use up the code',
  async (_what, make) => {
    const { systemId, code } = await enrolling();
    const { status, text } = await est('simpleenroll', {
      as: [systemId, code],
      csr: make(systemId).csr,
    });
    expect([status, JSON.parse(text).errorCode]).toEqual([400, 'REQUEST_REFUSED']);
    const right = requestOf(`/CN=${systemId}`);
    expect((await est('simpleenroll', { as: [systemId, code], csr: right.csr })).status).toBe(200);
  },
);

test.runIf(isTurn())('extensions of a request are not copied', async () => {
  const { systemId, code } = await enrolling();
  const request = requestOf(`/CN=${systemId}`, {
    extra: ['-addext', 'basicConstraints=CA:TRUE', '-addext', 'subjectAltName=DNS:c2c-sys-other'],
  });
  const pair = certificateIn(
    await est('simpleenroll', { as: [systemId, code], csr: request.csr }),
    request,
  );
  const text = openssl(folder, 'x509', '-in', pair.cert, '-noout', '-text');
  expect(text).toContain('CA:FALSE');
  expect(text).not.toContain('c2c-sys-other');
});

test('simplereenroll: a certificate gives the next one, for its own name only', async () => {
  const { vin, systemId, code } = await enrolling();
  const first = requestOf(`/CN=${systemId}`);
  const old = certificateIn(
    await est('simpleenroll', { as: [systemId, code], csr: first.csr }),
    first,
  );
  const second = requestOf(`/CN=${systemId}`);
  const next = certificateIn(await est('simplereenroll', { from: old, csr: second.csr }), second);
  expect((await director(vin, next)).output).toBe('200');
  expect((await director(vin, old)).output).toBe('200');
  expect(
    (await est('simplereenroll', { from: old, csr: requestOf('/CN=c2c-sys-other').csr })).status,
  ).toBe(400);
  expect((await est('simplereenroll', { csr: second.csr })).status).toBe(401);
  expect((await est('simplereenroll', { as: [systemId, code], csr: second.csr })).status).toBe(401);
});

test('a revoked certificate cannot be renewed, and is in the list that OpenSSL checks', async () => {
  const { systemId, code } = await enrolling();
  const request = requestOf(`/CN=${systemId}`);
  const pair = certificateIn(
    await est('simpleenroll', { as: [systemId, code], csr: request.csr }),
    request,
  );
  const list = join(enrolmentCa, 'crl.pem');
  expect(existsSync(list)).toBe(true);
  const serial = servers.serialOf(pair);
  await carota.call('PUT', `/v1.0/revoked-certificates/${serial}`, { body: { reason: 'stolen' } });
  const revoked = async () =>
    (
      await runClient('openssl', [
        'verify',
        '-CAfile',
        ca,
        '-crl_check',
        '-CRLfile',
        list,
        pair.cert,
      ])
    ).output;
  await expect.poll(revoked, { timeout: 30_000 }).toContain('certificate revoked');
  expect(openssl(folder, 'crl', '-in', list, '-CAfile', ca, '-noout', '-text')).toContain(serial);
  expect((await est('simplereenroll', { from: pair, csr: request.csr })).status).toBe(0);
});

const enrolled = async ({ systemId, code }: Enrolling) => {
  const request = requestOf(`/CN=${systemId}`);
  const answer = await est('simpleenroll', { as: [systemId, code], csr: request.csr });
  return { request, pair: certificateIn(answer, request) };
};

test.runIf(isTurn())(
  'a used code gives no certificate once one issued for it is revoked',
  async () => {
    const own = await enrolling();
    const { request, pair } = await enrolled(own);
    const again = () => est('simpleenroll', { as: [own.systemId, own.code], csr: request.csr });
    expect((await again()).status).toBe(200);
    const serial = servers.serialOf(pair);
    await carota.call('PUT', `/v1.0/revoked-certificates/${serial}`, {
      body: { reason: 'stolen' },
    });
    expect((await again()).status).toBe(401);
  },
);

test.runIf(isTurn())(
  'erasure revokes the vehicle’s certificates and deletes its system_id with them',
  async () => {
    const own = await enrolling();
    const { request, pair } = await enrolled(own);
    expect((await carota.call('DELETE', `/v1.0/vehicles/${own.vin}`)).status).toBe(204);
    const { items } = (await carota.call('GET', '/v1.0/revoked-certificates?limit=1000')).body;
    const serial = servers.serialOf(pair).toLowerCase().replace(/^0+/, '');
    expect(items).toContainEqual(
      expect.objectContaining({ serial, reason: 'the vehicle was erased' }),
    );
    const rows = await database.query(
      'select 1 as found from issued_certificates where system_id = $1',
      [own.systemId],
    );
    expect(rows).toEqual([]);
    // Refused in the handshake once the revocation is read; before that because the vehicle is not registered.
    expect([0, 401]).toContain(
      (await est('simplereenroll', { from: pair, csr: request.csr })).status,
    );
  },
);

test.runIf(isTurn())(
  'a certificate of an unregistered vehicle cannot be renewed, and the refusal is in the audit log',
  async () => {
    const own = await enrolling();
    const { request, pair } = await enrolled(own);
    await database.query('delete from vehicles where vin = $1', [own.vin]);
    expect(errorCodeOf(await est('simplereenroll', { from: pair, csr: request.csr }))).toEqual([
      401,
      'UNAUTHORIZED',
    ]);
    const serial = servers.serialOf(pair).toLowerCase().replace(/^0+/, '');
    const noted = await eventually(
      async () =>
        (await carota.call('GET', '/v1.0/audit?action=issue-certificate&outcome=refused')).body
          .items,
      (items) => items.some(({ subject }: { subject: string }) => subject === own.systemId),
    );
    expect(noted).toContainEqual(
      expect.objectContaining({ tokenId: `certificate ${serial}`, subject: own.systemId }),
    );
  },
);

test.runIf(isTurn())(
  'each certificate is in the audit log, with the code or certificate that it was issued for',
  async () => {
    const own = await enrolling();
    const { pair } = await enrolled(own);
    const next = requestOf(`/CN=${own.systemId}`);
    const renewed = certificateIn(await est('simplereenroll', { from: pair, csr: next.csr }), next);
    const [first, second] = [pair, renewed].map((one) =>
      servers.serialOf(one).toLowerCase().replace(/^0+/, ''),
    );
    const { items } = (
      await carota.call('GET', `/v1.0/audit?action=issue-certificate&vin=${own.vin}`)
    ).body;
    expect(items).toMatchObject([
      {
        tokenId: `certificate ${first}`,
        tokenName: own.systemId,
        subject: second,
        outcome: 'done',
      },
      { tokenId: 'enrolment code', tokenName: own.systemId, subject: first, address: '127.0.0.1' },
    ]);
  },
);

test.runIf(isTurn())(
  'a vehicle has at most 20 valid certificates, even if requested concurrently, and all of them are listed',
  async () => {
    const own = await enrolling();
    const { pair } = await enrolled(own);
    const issue = (from: number, count: number, days: number) =>
      database.query(
        `insert into issued_certificates (serial, system_id, issued_at, expires_at)
       select to_hex($1::bigint + n), $2, now() + n * interval '1 second', now() + $4::int * interval '1 day'
       from generate_series(1, $3::int) n`,
        [from, own.systemId, count, days],
      );
    await issue(0xa000000, 17, 30);
    await issue(0xb000000, 150, -1);
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { csr } = requestOf(`/CN=${own.systemId}`);
        return (await est('simplereenroll', { from: pair, csr })).status;
      }),
    );
    expect(statuses.sort((a, b) => a - b)).toEqual([200, 200, 429, 429, 429]);
    const { csr } = requestOf(`/CN=${own.systemId}`);
    expect(errorCodeOf(await est('simplereenroll', { from: pair, csr }))).toEqual([
      429,
      'TOO_MANY_CERTIFICATES',
    ]);
    const { items } = (await carota.call('GET', `/v1.0/vehicles/${own.vin}/certificates`)).body;
    const isValid = ({ expiresAt }: { expiresAt: string }) => Date.parse(expiresAt) > Date.now();
    expect(items.map(isValid)).toEqual(Array.from({ length: 100 }, (_, at) => at < 20));
    // Not the one that the vehicle uses for its request.
    const other = (17 + 0xa000000).toString(16);
    await carota.call('PUT', `/v1.0/revoked-certificates/${other}`, {
      body: { reason: 'not used' },
    });
    expect((await est('simplereenroll', { from: pair, csr })).status).toBe(200);
  },
);

test.runIf(isTurn())(
  'a key that is costly to check is refused before the signature is checked',
  async () => {
    const { systemId, code } = await enrolling();
    const huge = requestOf(`/CN=${systemId}`, {
      newKey: ['rsa:2048', '-pkeyopt', `rsa_keygen_pubexp:${2n ** 33n + 1n}`],
    });
    // The signature is wrong too, but the answer does not name it.
    const der = Buffer.from(readFileSync(huge.csr, 'latin1'), 'base64');
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    writeFileSync(huge.csr, der.toString('base64'));
    const { status, text } = await est('simpleenroll', { as: [systemId, code], csr: huge.csr });
    expect([status, JSON.parse(text).errorMessage]).toEqual([
      400,
      'RSA exponents must be at most 2^32',
    ]);
  },
);

test.runIf(isTurn())('a blocked caller’s request is not examined', async () => {
  const { systemId, code } = await enrolling();
  const { csr } = requestOf(`/CN=${systemId}`);
  // Count the failures of this name only: other tests guess too.
  await database.query('delete from failed_sign_ins');
  for (let guess = 0; guess < 12; guess++) {
    await est('simpleenroll', { as: [systemId, `WRONG-${guess}`], csr });
  }
  // A lock that outlasts the test even on a slow machine, as after this many failures at other servers.
  await eventually(
    () =>
      database.query(
        `update failed_sign_ins set failures = 30, last_at = now() where key not like 'address %' returning 1`,
      ),
    (rows) => rows.length > 0,
  );
  await eventually(
    () => est('simpleenroll', { as: [systemId, 'WRONG-AGAIN'], csr }),
    ({ retryAfter }) => retryAfter > 60,
  );
  writeFileSync(csr, 'no request!');
  expect((await est('simpleenroll', { as: [systemId, code], csr })).status).toBe(429);
});

test.runIf(isTurn())(
  'wrong codes of some vehicles do not lock out another one behind the same address',
  async () => {
    for (let guess = 0; guess < 8; guess++) {
      const { csr } = requestOf(`/CN=c2c-sys-guess-${guess}`);
      const as = [`c2c-sys-guess-${guess}`, 'WRONG'] as const;
      expect((await est('simpleenroll', { as, csr })).status).toBe(401);
    }
    await enrolled(await enrolling());
  },
);

test('EST is served on the vehicle port only, and accepts only requests of its own type', async () => {
  expect((await carota.call('GET', '/.well-known/est/cacerts')).status).toBe(404);
  const { systemId, code } = await enrolling();
  const { csr } = requestOf(`/CN=${systemId}`);
  const given = { as: [systemId, code], csr } as const;
  expect((await est('simpleenroll', { ...given, type: 'application/json' })).status).toBe(415);
  const large = join(folder, 'large');
  writeFileSync(large, 'A'.repeat(20_000));
  expect((await est('simpleenroll', { ...given, csr: large })).status).toBe(413);
  for (const name of [`${systemId}\0`, '\ud800', '', 'x'.repeat(10_000)]) {
    const basic = Buffer.from(`${name}:${code}`).toString('base64');
    const { output } = await runClient('curl', [
      ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', servers.ca],
      ...['-H', `authorization: Basic ${basic}`, '-H', 'content-type: application/pkcs10'],
      ...['--data-binary', `@${csr}`],
      `${carota.carota.vehicleUrl}/.well-known/est/simpleenroll`,
    ]);
    expect(['400', '401']).toContain(output);
  }
});

test('a vehicle without a system_id gets no code', async () => {
  const vin = vinOf(900, 'EST');
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
  const refused = await carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`);
  expect([refused.status, refused.body.errorCode]).toEqual([409, 'SYSTEM_ID_MISSING']);
  expect((await carota.call('GET', `/v1.0/vehicles/${vin}/certificates`)).body.items).toEqual([]);
  for (const hours of [0, 0.5, -1, 1e9, null]) {
    const { status } = await carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`, {
      body: { hours },
    });
    expect(status).toBe(400);
  }
});

test.runIf(isTurn())('if a command is the authority, its output is verified', async () => {
  const own = new OpensslAuthority('Own');
  const script = join(folder, 'issue.sh');
  const start = async (body: string) => {
    writeFileSync(script, body);
    return startTestCarota(adapter.url, {
      vehiclePort: 0,
      vehicleTls: { cert, key, ca: own.ca },
      enrolmentCommand: `sh ${script}`,
    });
  };
  const another = await start(
    `cd ${own.folder} && cat > in.csr && echo extendedKeyUsage=clientAuth > in.ext &&
     openssl ca -config ca.cnf -batch -notext -in in.csr -extfile in.ext -days 5 -out out.pem 2>/dev/null && cat out.pem`,
  );
  try {
    const vin = vinOf(901, 'EST');
    const systemId = `c2c-sys-${vin}`;
    await another.call('PUT', `/v1.0/vehicles/${vin}`, {
      body: { model: MODEL, system_id: systemId },
    });
    const { code } = (await another.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`)).body;
    const request = requestOf(`/CN=${systemId}`);
    const enrol = () =>
      est('simpleenroll', { as: [systemId, code], csr: request.csr, carotaOf: another });
    const pair = certificateIn(await enrol(), request);
    expect(openssl(folder, 'verify', '-CAfile', own.ca, pair.cert)).toContain('OK');
    for (const bad of ['exit 1', 'echo nothing', `cat ${own.issue(systemId).cert}`]) {
      writeFileSync(script, bad);
      const { status, text } = await enrol();
      expect([status, JSON.parse(text).errorCode]).toEqual([503, 'AUTHORITY_UNAVAILABLE']);
    }
  } finally {
    await another.stop();
  }
});
