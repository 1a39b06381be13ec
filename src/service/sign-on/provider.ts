/** The OpenID Connect provider: discovery, authorization code with PKCE, checked ID tokens (OpenID Connect Core 1.0). */
import { createRemoteJWKSet, customFetch, jwtVerify, type JWTVerifyGetKey } from 'jose';
import * as oidc from 'openid-client';
import { FRESH_SIGN_IN_SECONDS } from '../../contract/index.js';
import { SESSION_SECONDS } from '../access/index.js';
import { type Attempt, nonceOf, stateOf, verifierOf } from './attempt.js';
import { type Claims, claimOf } from './claims.js';
import {
  LOGOUT_TOKEN_SECONDS,
  type LogoutToken,
  logoutTokenOf,
  NoLogoutToken,
} from './logout-token.js';
import { type SignOn } from './settings.js';

/** The provider does not answer, or only with internal errors. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
}

/** The provider refuses, or its answer fails a check. */
export class SignOnRefused extends Error {
  override readonly name = 'SignOnRefused';
}

/** The provider's statements about a person who has signed in. */
export interface SignedOn {
  readonly claims: Claims;
  /** When they proved to the provider who they are, ms. */
  readonly authenticatedAt: number;
}

/** Timeout of a request, seconds. */
const TIMEOUT_SECONDS = 5;
/** How long the provider’s own description is cached, ms. */
const DISCOVERED_MS = 60 * 60 * 1000;
/** Between our clock and the provider’s, seconds. */
const TOLERANCE_SECONDS = 10;

export class Provider {
  readonly #signOn: SignOn;
  readonly #clock: () => number;
  readonly #fetch: typeof fetch;
  #discovered: { readonly at: number; readonly configuration: oidc.Configuration } | undefined;
  #discovering: Promise<oidc.Configuration> | undefined;
  /** The provider’s public keys, by the address that has them. */
  #keys: { readonly address: string; readonly key: JWTVerifyGetKey } | undefined;

  /** @param send reaches the provider, with the CAs to trust @param clock ms */
  constructor(signOn: SignOn, clock: () => number, send: typeof fetch = fetch) {
    this.#signOn = signOn;
    this.#clock = clock;
    this.#fetch = (input, init) => answered(send(input, init));
  }

  get redirectUri(): string {
    return `${this.#signOn.consoleUrl}/v1.0/session/sign-on/callback`;
  }

  /** Where a browser signs in. @throws ProviderUnavailable, SignOnRefused */
  async authorizationUrl(attempt: Attempt): Promise<URL> {
    return this.#with(async (configuration) =>
      oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: this.redirectUri,
        scope: this.#signOn.requestScopes,
        state: stateOf(attempt),
        nonce: nonceOf(attempt),
        code_challenge: await oidc.calculatePKCECodeChallenge(verifierOf(attempt)),
        code_challenge_method: 'S256',
        // Always requested: only then must the provider state when the person signed in.
        max_age: String(maxAge(attempt)),
        ...(attempt.again ? { prompt: 'login' } : {}),
      }),
    );
  }

  /**
   * Exchanges the code in the provider’s answer, and checks all of its statements.
   *
   * @param answer query of the browser’s request
   * @throws ProviderUnavailable, SignOnRefused
   */
  async complete(answer: URLSearchParams, attempt: Attempt): Promise<SignedOn> {
    return this.#with(async (configuration) => {
      const url = new URL(this.redirectUri);
      url.search = answer.toString();
      const tokens = await oidc.authorizationCodeGrant(configuration, url, {
        expectedState: stateOf(attempt),
        expectedNonce: nonceOf(attempt),
        pkceCodeVerifier: verifierOf(attempt),
        maxAge: maxAge(attempt),
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      const authTime = claims?.auth_time;
      if (!claims || authTime === undefined) throw new SignOnRefused('there is no auth_time');
      return {
        claims: await this.#withUserInfo(configuration, claims, tokens.access_token),
        authenticatedAt: Math.min(authTime * 1000, this.#clock()),
      };
    });
  }

  /** Where a browser signs out; undefined: the provider offers no such page. @throws ProviderUnavailable, SignOnRefused */
  async endSessionUrl(): Promise<URL | undefined> {
    return this.#with((configuration) => {
      if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
      return oidc.buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: `${this.#signOn.consoleUrl}/console/`,
      });
    });
  }

  /**
   * The content of a logout token (Back-Channel Logout 1.0, section 2.6); does not check whether it was used before.
   *
   * @throws ProviderUnavailable, SignOnRefused
   */
  async readLogoutToken(text: string): Promise<LogoutToken> {
    return this.#with(async (configuration) => {
      const server = configuration.serverMetadata();
      const offered = server.id_token_signing_alg_values_supported ?? ['RS256'];
      const { payload, protectedHeader } = await jwtVerify(text, this.#keysOf(server), {
        issuer: server.issuer,
        audience: this.#signOn.clientId,
        // Only public-key algorithms: neither `none` nor signatures with the client’s secret.
        algorithms: offered.filter((name) => /^(?:RS|PS|ES)\d{3}$|^EdDSA$|^Ed25519$/.test(name)),
        currentDate: new Date(this.#clock()),
        clockTolerance: TOLERANCE_SECONDS,
        maxTokenAge: LOGOUT_TOKEN_SECONDS,
        requiredClaims: ['exp', 'jti'],
      });
      return logoutTokenOf(payload, protectedHeader.typ);
    });
  }

  #keysOf({ jwks_uri: address }: oidc.ServerMetadata): JWTVerifyGetKey {
    if (address === undefined) throw new SignOnRefused('the provider publishes no keys');
    if (this.#keys?.address !== address) {
      const key = createRemoteJWKSet(new URL(address), {
        [customFetch]: (url, init) => this.#fetch(url, init),
      });
      this.#keys = { address, key };
    }
    return this.#keys.key;
  }

  /** Many providers do not include groups and limits in the ID token. */
  async #withUserInfo(
    configuration: oidc.Configuration,
    claims: oidc.IDToken,
    accessToken: string,
  ): Promise<Claims> {
    const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined;
    const { roleClaim, scopeClaim = roleClaim } = this.#signOn;
    const isComplete = [roleClaim, scopeClaim].every((name) => claimOf(claims, name) !== undefined);
    if (isComplete || !hasMore) return claims;
    const more = await oidc.fetchUserInfo(configuration, accessToken, claims.sub);
    // Signed claims take precedence.
    return { ...more, ...claims };
  }

  async #with<T>(work: (configuration: oidc.Configuration) => T | Promise<T>): Promise<T> {
    try {
      return await work(await this.#configuration());
    } catch (error) {
      throw failureOf(error);
    }
  }

  async #configuration(): Promise<oidc.Configuration> {
    const cached = this.#discovered;
    if (cached && this.#clock() - cached.at < DISCOVERED_MS) return cached.configuration;
    this.#discovering ??= this.#discover().finally(() => (this.#discovering = undefined));
    return this.#discovering.catch((error: unknown) => {
      if (cached) return cached.configuration;
      throw error;
    });
  }

  async #discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.#signOn;
    const configuration = await oidc.discovery(
      issuer,
      clientId,
      { [oidc.clockTolerance]: TOLERANCE_SECONDS },
      (server, client, body, headers) =>
        authentication(server, clientSecret)(server, client, body, headers),
      {
        [oidc.customFetch]: this.#fetch as oidc.CustomFetch,
        timeout: TIMEOUT_SECONDS,
        // The settings allow this on the same machine only.
        // eslint-disable-next-line @typescript-eslint/no-deprecated
        execute: issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
      },
    );
    // TLS alone would let a proxy in between speak for the provider.
    oidc.enableNonRepudiationChecks(configuration);
    this.#discovered = { at: this.#clock(), configuration };
    return configuration;
  }
}

/** Maximum age of the sign-in at the provider, seconds, so that a session here never follows an older one. */
const maxAge = ({ again }: Attempt) => (again ? FRESH_SIGN_IN_SECONDS : SESSION_SECONDS);

/** RFC 6749, section 2.3.1; the default is `client_secret_basic` (OpenID Connect Discovery 1.0, section 3). */
function authentication(
  { token_endpoint_auth_methods_supported: supported }: oidc.ServerMetadata,
  secret: string | undefined,
): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  const takesBasic = supported?.includes('client_secret_basic') ?? true;
  return takesBasic ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
}

/** An answer, unless it is a failure of the provider itself. @throws ProviderUnavailable */
async function answered(sent: Promise<Response>): Promise<Response> {
  const response = await sent.catch((error: unknown) => {
    const { message, cause } = error as Error;
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    throw new ProviderUnavailable(`the OpenID Connect provider does not answer: ${why}`);
  });
  if (response.status < 500) return response;
  await response.body?.cancel();
  throw new ProviderUnavailable(`the OpenID Connect provider answers ${response.status}`);
}

function failureOf(error: unknown): Error {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ProviderUnavailable || cause instanceof SignOnRefused) return cause;
    if (cause instanceof NoLogoutToken) return new SignOnRefused(cause.message);
    messages.push(cause.message);
  }
  return new SignOnRefused(messages.join(': '), { cause: error });
}
