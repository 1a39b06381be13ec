/** An OpenID Connect provider that answers as a test wants, even against the standard. */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface ForgedProvider {
  readonly issuer: string;
  /** Answers, changed by each test. */
  readonly says: {
    /** Changes the claims of a correct ID token. */
    claims: (correct: Record<string, unknown>) => Record<string, unknown>;
    /** Makes a token of the claims; by default signed by the published key. */
    token: (claims: Record<string, unknown>) => string;
    /** Answer of the userinfo endpoint. */
    userinfo: object;
    /** Status of the token endpoint. */
    status: number;
    /** Additional metadata. */
    metadata: object;
  };
  /** Requests to the token endpoint. */
  readonly exchanges: URLSearchParams[];
  /** A token signed by its published key. */
  sign(claims: object, header?: object): string;
  /** Resets it to correct answers for this client and nonce. */
  reset(clientId: string, nonce: string): void;
  stop(): Promise<void>;
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signedBy(key: KeyObject, claims: object, header: object = {}): string {
  const text = `${part({ alg: 'RS256', kid: 'k', ...header })}.${part(claims)}`;
  return `${text}.${createSign('sha256').update(text).sign(key, 'base64url')}`;
}

export const unsigned = (claims: object): string => `${part({ alg: 'none' })}.${part(claims)}.`;

/** The key of all forged providers in this process, as making one takes long. */
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** A key that no server knows. */
export const STRANGER = generateKeyPairSync('rsa', { modulusLength: 2048 });

export async function startForgedProvider(): Promise<ForgedProvider> {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' };
  let correct: Record<string, unknown> = {};
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const answer = (body: object, status = 200) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      switch (request.url) {
        case '/.well-known/openid-configuration': {
          answer({
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            token_endpoint: `${issuer}/token`,
            userinfo_endpoint: `${issuer}/userinfo`,
            jwks_uri: `${issuer}/jwks`,
            ...says.metadata,
          });
          return;
        }
        case '/jwks': {
          answer({ keys: [jwk] });
          return;
        }
        case '/userinfo': {
          answer(says.userinfo);
          return;
        }
        case '/token': {
          provider.exchanges.push(new URLSearchParams(text));
          const token = says.token(says.claims(correct));
          answer({ access_token: 'a', token_type: 'Bearer', id_token: token }, says.status);
          return;
        }
        default: {
          answer({}, 404);
          return;
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const says: ForgedProvider['says'] = {
    claims: (claims) => claims,
    token: (claims) => signedBy(privateKey, claims),
    userinfo: {},
    status: 200,
    metadata: {},
  };
  const initial = { ...says };
  const provider: ForgedProvider = {
    issuer,
    says,
    exchanges: [],
    sign: (claims, header) => signedBy(privateKey, claims, header),
    reset(clientId, nonce) {
      const now = Math.floor(Date.now() / 1000);
      Object.assign(says, initial);
      correct = {
        ...{ iss: issuer, sub: 'ada', aud: clientId, nonce, roles: ['ota-staff'] },
        ...{ iat: now, exp: now + 300, auth_time: now },
      };
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}
