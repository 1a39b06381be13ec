/** Startup settings of single sign-on with OpenID Connect. */
import { BadSettings } from '../bad-settings.js';

/** A value of the role claim, and the role that it stands for. */
export interface RoleOfClaim {
  readonly value: string;
  readonly role: string;
}

export interface SignOnSettings {
  /** Public address of the console, without a path. */
  readonly consoleUrl?: string | undefined;
  /** Issuer of the OpenID Connect provider; undefined: no single sign-on. */
  readonly oidcIssuer?: string | undefined;
  readonly oidcClientId?: string | undefined;
  /** Undefined: a public client, which PKCE alone protects. */
  readonly oidcClientSecret?: string | undefined;
  /** Scopes to ask for, separated by spaces; always with `openid`. */
  readonly oidcRequestScopes?: string | undefined;
  /** Name of the claim with the person’s roles or groups; dots lead into objects. */
  readonly oidcRoleClaim?: string | undefined;
  /** The first value that a person has decides. */
  readonly oidcRoles?: readonly RoleOfClaim[] | undefined;
  /** Name of the claim with the person's vehicle models; undefined: no limits. */
  readonly oidcScopeClaim?: string | undefined;
  /** All values that a person has apply; undefined: the values are models themselves. */
  readonly oidcScopes?: readonly ModelOfClaim[] | undefined;
}

/** A value of the scope claim, and the vehicle model that it stands for; `*`: all models. */
export interface ModelOfClaim {
  readonly value: string;
  readonly model: string;
}

/** The same settings, with defaults filled in. */
export interface SignOn {
  /** Origin. */
  readonly consoleUrl: string;
  readonly issuer: URL;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly requestScopes: string;
  readonly roleClaim: string;
  readonly roles: readonly RoleOfClaim[];
  readonly scopeClaim: string | undefined;
  readonly scopes: readonly ModelOfClaim[] | undefined;
}

export const DEFAULT_REQUEST_SCOPES = 'openid profile';
export const DEFAULT_ROLE_CLAIM = 'roles';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * @param hasTls whether this server speaks TLS itself
 * @param serverRoles roles of this server that people can have; others in the settings are of another server
 * @returns undefined: no single sign-on
 * @throws BadSettings
 */
export function signOnOf(
  settings: SignOnSettings,
  hasTls: boolean,
  serverRoles: readonly string[],
): SignOn | undefined {
  const { oidcIssuer, oidcClientId, consoleUrl, oidcRoles = [] } = settings;
  if (oidcIssuer === undefined) return undefined;
  const missing = [
    ...(oidcClientId === undefined ? ['--oidc-client-id'] : []),
    ...(consoleUrl === undefined ? ['--console-url'] : []),
    ...(oidcRoles.length === 0 ? ['--oidc-roles'] : []),
  ];
  if (oidcClientId === undefined || consoleUrl === undefined || missing.length > 0) {
    throw new BadSettings(`--oidc-issuer needs ${missing.join(', ')}`);
  }
  if (settings.oidcScopes && settings.oidcScopeClaim === undefined) {
    throw new BadSettings('--oidc-scopes needs --oidc-scope-claim');
  }
  const issuer = new URL(oidcIssuer);
  if (issuer.protocol !== 'https:' && !LOOPBACK.test(issuer.hostname)) {
    throw new BadSettings('--oidc-issuer must be https, or on this machine');
  }
  const console_ = new URL(consoleUrl);
  if (console_.href !== `${console_.origin}/`) {
    throw new BadSettings('--console-url must be a scheme, a host and a port, without a path');
  }
  if (hasTls && console_.protocol !== 'https:') {
    throw new BadSettings('--console-url must be https if --tls-cert is given');
  }
  const scopes = (settings.oidcRequestScopes ?? DEFAULT_REQUEST_SCOPES).split(' ');
  return {
    consoleUrl: console_.origin,
    issuer,
    clientId: oidcClientId,
    clientSecret: settings.oidcClientSecret,
    requestScopes: [...new Set(['openid', ...scopes])].filter((scope) => scope !== '').join(' '),
    roleClaim: settings.oidcRoleClaim ?? DEFAULT_ROLE_CLAIM,
    roles: oidcRoles.filter(({ role }) => serverRoles.includes(role)),
    scopeClaim: settings.oidcScopeClaim,
    scopes: settings.oidcScopes,
  };
}
