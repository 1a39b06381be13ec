/**
 * Servers and contract agree: exactly the declared routes are served, and errors that any request can cause are answered as
 * the contract declares. The servers are real; their database contains one token and nothing else.
 */
import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpServer, type HttpContext } from '../../../src/adapter/http/index.js';
import { type CarotaContext } from '../../../src/carota/http/context.js';
import { createCarotaServer } from '../../../src/carota/http/server.js';
import { Director, type DirectorOptions } from '../../../src/carota/director/index.js';
import { ADAPTER_ROUTES, GRANTS } from '../../../src/contract/adapter-api/index.js';
import { CAROTA_GRANTS, CAROTA_ROUTES } from '../../../src/contract/carota-api/index.js';
import {
  cookieOf,
  type ErrorCode,
  ERRORS,
  errorsOf,
  FORM_TYPE,
  pathOf,
  type Route,
  type ServerName,
} from '../../../src/contract/index.js';
import { type SignInGuard } from '../../../src/service/access/index.js';
import { type AttemptLog } from '../../../src/service/audit/index.js';
import { type Database, DatabaseError } from '../../../src/service/database/index.js';
import { type Server } from '../../../src/service/http/index.js';
import { placeholderOf } from '../../../src/service/http/validator.js';

/** Role of the token in the database; undefined: no token. */
let role: string | undefined;
let isAway = false;
/** Whether guesses come from our address. */
let isHeldOff = false;

/** A database that only authenticates callers. */
const database = {
  query: async (sql: string) => {
    if (isAway || !sql.includes('from tokens')) throw unreachable();
    const hash = createHash('sha256').update('secret').digest('hex');
    const token = { id: 'id', name: 'name', role, scopes: null, revoked_at: null, hash };
    return role === undefined ? [] : [token];
  },
  transaction: async () => {
    throw unreachable();
  },
} as unknown as Database;

// admin_shutdown (PostgreSQL appendix A)
const unreachable = () => new DatabaseError(Object.assign(new Error('away'), { code: '57P01' }));

const nothing = () => undefined;
const log = pino(new Writable({ write: (_line, _encoding, done) => done() }));
const shared = {
  database,
  reading: database,
  signIns: {
    waitMs: () => (isHeldOff ? 1_000 : 0),
    succeeded: nothing,
    failed: nothing,
  } as unknown as SignInGuard,
  attempts: { note: nothing } as unknown as AttemptLog,
  log,
  version: '1.0.0',
  clock: Date.now,
  stopping: new AbortController().signal,
  metrics: {
    requestAnswered: nothing,
    valueRefused: nothing,
    refused: nothing,
    limitRefused: nothing,
  },
};

/** A Director without vehicles: each of its routes queries the database. */
const DIRECTOR = { keys: { signers: {}, roots: new Map() }, onManifest: nothing };

const SERVERS = [
  {
    name: 'adapter' as ServerName,
    routes: ADAPTER_ROUTES,
    grants: GRANTS,
    start: () => createHttpServer(shared as unknown as HttpContext, log),
  },
  {
    name: 'carota' as ServerName,
    routes: CAROTA_ROUTES,
    grants: CAROTA_GRANTS,
    start: () =>
      createCarotaServer({
        ...shared,
        callbackSecrets: [],
        notifications: { channels: [], sender: { wake: nothing } },
        director: new Director({ ...shared, ...DIRECTOR } as unknown as DirectorOptions),
      } as unknown as CarotaContext),
  },
];

interface Refusal {
  readonly status: number;
  readonly errorCode?: ErrorCode;
}

/**
 * Our own pages and their files, which are not an interface for programs; and images, whose paths have any number of
 * segments (test/carota/image-repository.test.ts).
 */
const PAGES = /^\w+ \/(console|docs|\*|$)/;

/** Errors covered by other tests, because they need a signature, a token, a store or an OpenID Connect provider. */
const UNPROVOKED: Readonly<Record<string, readonly ErrorCode[]>> = {
  signIn: ['DATABASE_UNAVAILABLE', 'UNAUTHORIZED', 'TOO_MANY_ATTEMPTS', 'FORGED_REQUEST'],
  completeSignOn: ['DATABASE_UNAVAILABLE', 'TOO_MANY_ATTEMPTS'],
  takeLogoutToken: ['DATABASE_UNAVAILABLE'],
  uploadArtifact: ['UNREADABLE_BODY'],
  getArtifactContent: ['DATABASE_UNAVAILABLE'],
  headArtifactContent: ['DATABASE_UNAVAILABLE'],
  getDossier: ['TIMESTAMP_UNAVAILABLE'],
  receiveEvents: ['DATABASE_UNAVAILABLE', 'NOT_JSON'],
};

/** All routes of a server: `GET /v1.0/vehicles/:vin`. */
function servedBy(server: Server): string[] {
  const path: string[] = [];
  const lines = server.printRoutes({ commonPrefix: false }).split('\n');
  return lines.flatMap((line) => {
    const [, indent = '', segment = '', methods = ''] =
      /^([│ ]*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?$/u.exec(line) ?? [];
    if (segment === '') return [];
    path.splice(indent.length / 4, Infinity, segment);
    const url = path.join('/').replaceAll(/\/+/g, '/');
    return methods.split(', ').map((method) => `${method} ${url}`);
  });
}

describe.each(SERVERS)('$name', ({ name, routes, grants, start }) => {
  let server: Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.close());

  const params = {
    'ref-id': 'a',
    'script-ref-id': 'a',
    vin: '5YJSA1E40FF345678',
    id: '019adb9c-5d5c-7c3e-9c1b-6a3f0c2d4e5f',
    message_id: 'a',
    ecu: 'a',
    number: '1',
    sha256: '0'.repeat(64),
    serial: 'a',
    file: 'timestamp.json',
  };
  const JSON_TYPE = { 'content-type': 'application/json' };
  const TOKEN = { 'authorization-token': 'secret' };

  async function ask(
    route: Route,
    { query = '', headers = {}, payload }: Partial<Asked> = {},
  ): Promise<Refusal> {
    const { statusCode, payload: text } = await server.inject({
      method: route.method,
      url: pathOf(route, params) + query,
      headers: { ...TOKEN, ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    const isProblem = text.startsWith('{') && text.includes('"errorCode"');
    const problem = (isProblem ? JSON.parse(text) : {}) as { errorCode?: ErrorCode };
    return { status: statusCode, ...problem };
  }
  interface Asked {
    readonly query: string;
    readonly headers: Record<string, string>;
    readonly payload: string | Buffer;
  }

  /** A role that may call the route. */
  const allowed = ({ permission }: Route) =>
    Object.entries(grants).find(
      ([, granted]) =>
        permission === 'any' ||
        permission === 'open' ||
        (granted as readonly string[]).includes(permission),
    )?.[0];

  /** One request per error that does not depend on stored data. */
  const PROVOCATIONS: Partial<Record<ErrorCode, (route: Route) => Promise<Refusal>>> = {
    INVALID: (route) => ask(route, { query: '?nonsense=1', ...fitting(route) }),
    URI_TOO_LONG: (route) => ask(route, { query: `?${'x'.repeat(20 * 1024)}` }),
    UNAUTHORIZED: (route) => {
      role = undefined;
      return ask(route, fitting(route));
    },
    TOO_MANY_ATTEMPTS: (route) => {
      isHeldOff = true;
      return ask(route, fitting(route));
    },
    FORBIDDEN: (route) => {
      role = 'nobody';
      return ask(route, fitting(route));
    },
    FORGED_REQUEST: (route) => {
      const { headers = {}, ...rest } = fitting(route);
      const cookie = `${cookieOf(name)}=secret`;
      return ask(route, { ...rest, headers: { ...headers, cookie, 'authorization-token': '' } });
    },
    DATABASE_UNAVAILABLE: (route) => {
      isAway = true;
      return ask(route, fitting(route));
    },
    UNREADABLE_BODY: (route) =>
      ask(route, {
        headers: { ...fitting(route).headers, 'content-encoding': 'gzip' },
        payload: 'no gzip',
      }),
    UNSUPPORTED_CONTENT_ENCODING: (route) =>
      ask(route, {
        headers: { ...fitting(route).headers, 'content-encoding': 'br' },
        payload: '{}',
      }),
    UNSUPPORTED_MEDIA_TYPE: (route) =>
      ask(route, { headers: { 'content-type': 'application/xml' }, payload: '<a/>' }),
    BODY_TOO_LARGE: (route) =>
      ask(route, {
        headers: {
          ...fitting(route).headers,
          'content-length': String((route.body?.maxBytes ?? 0) + 1),
        },
        payload: '{}',
      }),
    NOT_JSON: (route) => ask(route, { headers: JSON_TYPE, payload: '{' }),
    NOT_UTF8: (route) =>
      ask(route, { headers: JSON_TYPE, payload: Buffer.from([0x22, 0xff, 0x22]) }),
    BODY_MISSING: (route) => ask(route),
  };

  /** Content of the type that the route accepts. */
  function fitting({ body }: Route): Partial<Asked> {
    switch (body?.kind) {
      case 'json':
        if (body.form) return { headers: { 'content-type': FORM_TYPE }, payload: '' };
        return { headers: JSON_TYPE, payload: '{}' };
      case 'lines':
        return { headers: { 'content-type': 'text/csv' }, payload: 'vin\n' };
      case 'bytes':
        return { headers: { 'content-type': 'application/octet-stream' }, payload: 'x' };
      default:
        return {};
    }
  }

  test('serves exactly the routes of the contract', () => {
    const stated = routes.map(({ method, path }) => {
      const url = path.replaceAll(
        /\{([\w-]+)\}/g,
        (_all, name: string) => `:${placeholderOf(name)}`,
      );
      return `${method} ${url}`;
    });
    const served = servedBy(server).filter((one) => !PAGES.test(one));
    // HEAD is answered like GET (RFC 9110, section 9.3.2).
    const isOwn = (one: string) =>
      stated.includes(one) || !stated.includes(one.replace(/^HEAD /, 'GET '));
    expect(served.filter(isOwn).sort()).toEqual([...stated].sort());
  });

  test.each(routes.map((route) => [route.id, route] as const))(
    '%s answers as declared',
    async (_id, route) => {
      const declared = errorsOf(route);
      for (const code of declared) {
        const provoke = PROVOCATIONS[code];
        if (!provoke || UNPROVOKED[route.id]?.includes(code)) continue;
        // Without gzip, only a broken connection makes a body unreadable.
        if (code === 'UNREADABLE_BODY' && !route.body?.gzip) continue;
        role = allowed(route);
        isAway = false;
        isHeldOff = false;
        const { status, errorCode } = await provoke(route);
        expect.soft([errorCode, status], code).toEqual([code, ERRORS[code].status]);
      }
    },
  );

  test.each(['TRACE', 'PURGE', 'POST', 'DELETE'])(
    '%s on a path that lacks it gets 405 with Allow',
    async (method) => {
      const answer = await server.inject({ method: method as 'POST', url: '/healthz' });
      expect(answer.statusCode).toBe(405);
      expect(answer.headers.allow).toBe('GET, HEAD');
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ errorCode: 'METHOD_NOT_ALLOWED' });
    },
  );

  test('every method that a path lacks gets 405 with Allow', async () => {
    const methodsOf = new Map<string, string[]>();
    for (const one of servedBy(server)) {
      const [method = '', route = ''] = one.split(' ');
      // Of a path with a wildcard, the list has only the end: see the next test.
      if (route.endsWith('*')) continue;
      const path = route.replaceAll(/:[^/]+/g, 'a');
      methodsOf.set(path, [...(methodsOf.get(path) ?? []), method]);
    }
    expect(methodsOf.size).toBeGreaterThan(50);
    for (const [path, methods] of methodsOf) {
      const allowed = [...methods].sort().join(', ');
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
        if (methods.includes(method)) continue;
        const { statusCode, headers } = await server.inject({ method, url: path });
        const answer = [statusCode, headers.allow];
        expect.soft(answer, `${method} ${path}`).toEqual([405, allowed]);
      }
    }
  });

  test.each([
    '/docs/static/swagger-ui.css',
    '/docs/static/nothing.css',
    '/console/',
    '/console/index.html',
    '/console/schedules',
    '/console/assets/nothing.js',
    ...(name === 'carota' ? [`/uptane/image/targets/folder/${'0'.repeat(64)}.nothing`] : []),
  ])('so does the file %s, whether or not it exists', async (url) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      const answer = await server.inject({ method, url });
      const { statusCode, headers } = answer;
      expect.soft([statusCode, headers.allow], method).toEqual([405, 'GET, HEAD']);
      expect.soft(answer.json(), method).toMatchObject({ errorCode: 'METHOD_NOT_ALLOWED' });
    }
  });

  test('serves its document as a page, as JSON and as YAML', async () => {
    for (const url of ['/docs', '/docs/', '/docs/json', '/docs/yaml']) {
      expect.soft((await server.inject(url)).statusCode, url).toBe(200);
    }
    const other = await server.inject({ method: 'POST', url: '/docs/' });
    expect([other.statusCode, other.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect((await server.inject('/docs/json')).json()).toHaveProperty('openapi', '3.1.0');
    expect((await server.inject('/docs/yaml')).body).toMatch(/^openapi: 3\.1\.0$/m);
  });
});
