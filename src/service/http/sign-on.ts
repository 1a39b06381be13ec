/** `/v1.0/session/sign-on`: a browser signs in at an OpenID Connect provider, and gets a session of ours. */
import { createHash } from 'node:crypto';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger } from 'pino';
import {
  type ErrorCode,
  type ServerName,
  secureSignOnCookieOf,
  type SessionApi,
  signOnApi,
  signOnCookieOf,
  type SignOnFault,
} from '../../contract/index.js';
import {
  createSession,
  endPersonSessions,
  isSignedOut,
  lockSignOuts,
  noteSignOut,
  personId,
  SESSION_SECONDS,
  type SignInGuard,
  useLogoutToken,
} from '../access/index.js';
import { recordActions } from '../audit/index.js';
import { type Database } from '../database/index.js';
import { clientAddress } from '../limits/index.js';
import {
  ATTEMPT_SECONDS,
  type Attempt,
  attemptText,
  consoleAddress,
  identityOf,
  type LogoutToken,
  newAttempt,
  type OpenedSignOn,
  type Person,
  providerSessionOf,
  ProviderUnavailable,
  readAttempt,
  roleOf,
  scopesOfClaims,
  type SignedOn,
  SignOnRefused,
  stateOf,
} from '../sign-on/index.js';
import { guarded } from './guarded.js';
import { Problem } from './problem.js';
import { serve } from './serve.js';
import { authorityOf, endSessions, sessionCookie } from './session.js';

export interface SignOnContext {
  readonly database: Database;
  /** The database's time, ms. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly signIns: SignInGuard;
  readonly server: ServerName;
  /** Undefined: not set up. */
  readonly signOn?: OpenedSignOn | undefined;
}

export function signOnRoutes(server: FastifyInstance, context: SignOnContext): void {
  const { log, signOn: opened } = context;

  serve(server, signOnApi.getSignInWays, () => ({ singleSignOn: opened !== undefined }));

  serve(server, signOnApi.beginSignOn, async ({ query, reply }) => {
    const { settings, provider } = required(opened);
    const returnTo = consoleAddress(settings.consoleUrl, query.returnTo);
    const attempt = newAttempt(
      new URL(returnTo).href.slice(settings.consoleUrl.length),
      query.again ?? false,
      context.clock(),
    );
    try {
      const url = await provider.authorizationUrl(attempt);
      reply.setCookie(...attemptCookie(context.server, settings.consoleUrl, attempt));
      redirect(reply, url.href);
    } catch (error) {
      fail(reply, settings.consoleUrl, faultOf(error, log));
    }
  });

  serve(server, signOnApi.completeSignOn, async ({ request, reply }) => {
    const { settings } = required(opened);
    const [name, , { path, secure }] = attemptCookie(context.server, settings.consoleUrl);
    const attempt = readAttempt(request.cookies[name]);
    // The secret is used once, regardless of the outcome.
    reply.clearCookie(name, { path, secure });
    try {
      await complete(request, reply, attempt);
    } catch (error) {
      fail(reply, settings.consoleUrl, faultOf(error, log));
    }
  });

  async function complete(
    request: FastifyRequest,
    reply: FastifyReply,
    attempt: Attempt | undefined,
  ): Promise<void> {
    const { settings, provider } = required(opened);
    const answer = new URLSearchParams(request.url.split('?')[1]);
    const now = context.clock();
    // An answer that this browser has not requested is not even sent to the provider.
    if (
      !attempt ||
      answer.get('state') !== stateOf(attempt) ||
      now - attempt.startedAt > ATTEMPT_SECONDS * 1000
    ) {
      noteRefused(request, 'UNAUTHORIZED');
      fail(reply, settings.consoleUrl, 'unexpected');
      return;
    }
    const signedOn = await exchange(request, context, () => provider.complete(answer, attempt));
    const identity = identityOf(signedOn.claims);
    if (!identity) throw new SignOnRefused('the subject is not one');
    const role = roleOf(signedOn.claims, settings.roleClaim, settings.roles);
    if (role === undefined) {
      noteRefused(request, 'FORBIDDEN', identity);
      log.warn({ person: identity.id, claim: settings.roleClaim }, 'a sign-on without a role');
      fail(reply, settings.consoleUrl, 'no-role');
      return;
    }
    const scopes = scopesOfClaims(signedOn.claims, settings);
    const person = { ...identity, role, scopes };
    // The time in a cookie is trusted only as far as it does no harm.
    const since = Math.min(attempt.startedAt, now);
    const session = await startSession(request, person, signedOn, since);
    if (session === undefined) {
      noteRefused(request, 'UNAUTHORIZED', identity);
      throw new SignOnRefused('the session at the provider has ended in the meantime');
    }
    const secure = settings.consoleUrl.startsWith('https:');
    reply.setCookie(...sessionCookie(context.server, secure, session, SESSION_SECONDS));
    redirect(reply, consoleAddress(settings.consoleUrl, attempt.returnTo));
  }

  /** @param since when the attempt started, ms @returns its secret; undefined: signed out at the provider since then */
  function startSession(
    request: FastifyRequest,
    person: Person,
    { authenticatedAt, claims }: SignedOn,
    since: number,
  ): Promise<string | undefined> {
    const { id, name, role, scopes } = person;
    const secure = required(opened).settings.consoleUrl.startsWith('https:');
    const origin = { authority: authorityOf(request), secure };
    const now = context.clock();
    const entry = {
      by: { id, name, reason: '' },
      vin: null,
      detail: { role, ...(scopes ? { scopes } : {}) },
      subject: WAY,
      address: clientAddress(request.ip),
    };
    const providerSession = providerSessionOf(claims);
    return context.database.transaction(async (tx) => {
      await lockSignOuts(tx);
      const who = { personId: id, providerSession };
      if (await isSignedOut(tx, who, since, context.clock())) return undefined;
      await endSessions(tx, request, context.server);
      await recordActions(tx, SIGN_IN, [entry], now);
      return createSession(tx, { person, authenticatedAt, providerSession }, origin, now);
    });
  }

  serve(server, signOnApi.takeLogoutToken, async ({ request, reply, body }) => {
    const { provider } = required(opened);
    reply.header('cache-control', 'no-store');
    try {
      const token = await provider.readLogoutToken(body.logout_token);
      return { sessions: await endSessionsBy(request, token) };
    } catch (error) {
      if (error instanceof ProviderUnavailable) {
        log.error({ err: error }, 'a logout token could not be checked');
        throw new Problem('PROVIDER_UNAVAILABLE', error.message, { retryAfterSeconds: 5 });
      }
      if (!(error instanceof SignOnRefused)) throw error;
      log.warn({ err: error }, 'a logout token was refused');
      noteRefused(request, 'LOGOUT_TOKEN_REFUSED', NOBODY, END_SESSIONS);
      throw new Problem('LOGOUT_TOKEN_REFUSED', error.message);
    }
  });

  /** @throws SignOnRefused */
  function endSessionsBy(request: FastifyRequest, token: LogoutToken): Promise<number> {
    const now = context.clock();
    const signedOut = {
      personId: token.subject === undefined ? undefined : personId(token.subject),
      providerSession: token.session,
    };
    return context.database.transaction(async (tx) => {
      await lockSignOuts(tx);
      if (!(await useLogoutToken(tx, token.id, now, token.usableUntil))) {
        throw new SignOnRefused('the logout token was used before');
      }
      const ended = await endPersonSessions(tx, signedOut);
      const at = context.clock();
      await noteSignOut(tx, signedOut, at, at + UNDER_WAY_MS);
      const entry = {
        by: { ...(ended[0] ?? { id: signedOut.personId ?? '', name: '' }), reason: '' },
        vin: null,
        detail: { sessions: ended.length },
        subject: WAY,
        address: clientAddress(request.ip),
      };
      await recordActions(tx, END_SESSIONS, [entry], now);
      return ended.length;
    });
  }

  serve(server, signOnApi.leaveSignOn, async ({ reply }) => {
    const { settings, provider } = required(opened);
    const home = consoleAddress(settings.consoleUrl);
    const url = await provider.endSessionUrl().catch((error: unknown) => {
      faultOf(error, log);
      return undefined;
    });
    redirect(reply, url?.href ?? home);
  });
}

const SIGN_IN: SessionApi['signIn']['audit'] = 'sign-in';
const END_SESSIONS = signOnApi.takeLogoutToken.audit;
const WAY = 'single-sign-on';
/** For how long a sign-in can be under way: at the provider, and then until its exchange is done. */
const UNDER_WAY_MS = (ATTEMPT_SECONDS + 60) * 1000;
const NOBODY = { id: '', name: '' };

/** Recorded in the audit log; refusals by the provider count as guesses. */
function noteRefused(
  request: FastifyRequest,
  errorCode: ErrorCode,
  { id, name }: Pick<Person, 'id' | 'name'> = NOBODY,
  action: string = SIGN_IN,
): void {
  request.server.auditTrail.attempts.note({
    action,
    tokenId: id,
    tokenName: name,
    address: clientAddress(request.ip),
    refId: null,
    vin: null,
    subject: WAY,
    reason: '',
    outcome: 'refused',
    errorCode,
  });
}

/** @throws Problem 404 */
function required(opened: OpenedSignOn | undefined): OpenedSignOn {
  if (!opened)
    throw new Problem('SIGN_ON_NOT_SET_UP', 'this server has no OpenID Connect provider');
  return opened;
}

/** Slows down guessing of codes: each costs a request to the provider. @throws Problem 429 */
async function exchange(
  request: FastifyRequest,
  { signIns }: SignOnContext,
  complete: () => Promise<SignedOn>,
): Promise<SignedOn> {
  const secret = createHash('sha256').update(request.url).digest('base64url');
  const attempt = { kind: 'session', address: clientAddress(request.ip), secret } as const;
  let refusal: unknown;
  try {
    return await guarded(signIns, attempt, request.server.requestLimits.refused, () =>
      complete().catch((error: unknown) => {
        if (!(error instanceof SignOnRefused)) throw error;
        refusal = error;
        throw new Problem('UNAUTHORIZED', error.message);
      }),
    );
  } catch (error) {
    throw refusal ?? error;
  }
}

/** In a cookie that the provider’s redirect brings back: not `strict`. */
function attemptCookie(server: ServerName, consoleUrl: string, attempt?: Attempt) {
  const secure = consoleUrl.startsWith('https:');
  const name = secure ? secureSignOnCookieOf(server) : signOnCookieOf(server);
  const options = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax' as const,
    secure,
    maxAge: ATTEMPT_SECONDS,
  };
  return [name, attempt ? attemptText(attempt) : '', options] as const;
}

function redirect(reply: FastifyReply, location: string): void {
  // The URL of this answer contains a code.
  void reply.headers({ location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
}

function fail(reply: FastifyReply, consoleUrl: string, fault: SignOnFault): void {
  redirect(reply, consoleAddress(consoleUrl, `/console/?sign-on=${fault}`));
}

/** @throws errors other than the provider’s */
function faultOf(error: unknown, log: Logger): SignOnFault {
  if (error instanceof ProviderUnavailable) {
    log.error({ err: error }, 'the OpenID Connect provider does not answer');
    return 'unavailable';
  }
  if (error instanceof SignOnRefused) {
    log.warn({ err: error }, 'a sign-on was refused');
    return 'refused';
  }
  throw error;
}
