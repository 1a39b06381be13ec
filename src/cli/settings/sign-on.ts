/** Settings of single sign-on with OpenID Connect (docs/access.md). */
import { InvalidArgumentError } from 'commander';
import { ROLES } from '../../contract/adapter-api/index.js';
import { CAROTA_ROLES } from '../../contract/carota-api/index.js';
import {
  DEFAULT_REQUEST_SCOPES,
  DEFAULT_ROLE_CLAIM,
  type ModelOfClaim,
  type RoleOfClaim,
} from '../../service/sign-on/settings.js';
import { type Parser, parseUrl } from './parsers.js';
import { type Setting } from './settings.js';

/** One file of settings may serve both servers: each takes the roles that it has. */
const KNOWN_ROLES: ReadonlySet<string> = new Set([...ROLES, ...CAROTA_ROLES]);

/** Comma-separated, each `<value of the claim>=<role>`. */
const parseRoles: Parser<RoleOfClaim[]> = (text) =>
  text.split(',').map((item) => {
    const equals = item.lastIndexOf('=');
    const value = item.slice(0, Math.max(equals, 0)).trim();
    const role = item.slice(equals + 1).trim();
    if (value === '') {
      throw new InvalidArgumentError('must be a list such as ota-admins=admin,ota-staff=viewer.');
    }
    if (!KNOWN_ROLES.has(role)) {
      const roles = [...KNOWN_ROLES].join(', ');
      throw new InvalidArgumentError(`${role} is not a role; roles: ${roles}.`);
    }
    return { value, role };
  });

const CONSOLE_URL: Setting<string> = {
  flag: '--console-url <url>',
  description: 'public address of the console, e.g. https://ota.example',
  parse: parseUrl('https:', 'http:'),
};
const ISSUER: Setting<string> = {
  flag: '--oidc-issuer <url>',
  description:
    'OpenID Connect provider at which people sign in to the console (default: tokens only)',
  parse: parseUrl('https:', 'http:'),
};
const CLIENT_ID: Setting<string> = {
  flag: '--oidc-client-id <id>',
  description: 'client id of this server at the provider',
};
const CLIENT_SECRET: Setting<string> = {
  flag: '--oidc-client-secret <secret>',
  secret: true,
  description: 'client secret at the provider (default: a public client)',
};
const REQUEST_SCOPES: Setting<string> = {
  flag: '--oidc-request-scopes <scopes>',
  description: 'scopes to ask the provider for, separated by spaces',
  default: DEFAULT_REQUEST_SCOPES,
};
const ROLE_CLAIM: Setting<string> = {
  flag: '--oidc-role-claim <name>',
  description: 'claim with a person’s roles or groups; dots address members of objects',
  default: DEFAULT_ROLE_CLAIM,
};
const OIDC_ROLES: Setting<RoleOfClaim[]> = {
  flag: '--oidc-roles <value=role,…>',
  description: 'role for each value of that claim; the first value that a person has decides',
  parse: parseRoles,
};

/** Comma-separated, each `<value of the claim>=<model>`. */
const parseModels: Parser<ModelOfClaim[]> = (text) =>
  text.split(',').map((item) => {
    const equals = item.lastIndexOf('=');
    const value = item.slice(0, Math.max(equals, 0)).trim();
    const model = item.slice(equals + 1).trim();
    if (value === '' || model === '') {
      throw new InvalidArgumentError('must be a list such as team-a=model a,fleet-office=*.');
    }
    return { value, model };
  });

const SCOPE_CLAIM: Setting<string> = {
  flag: '--oidc-scope-claim <name>',
  description:
    'claim with the vehicle models to which a person is limited; a person without the claim sees none (default: no limits)',
};
const OIDC_SCOPES: Setting<ModelOfClaim[]> = {
  flag: '--oidc-scopes <value=model,…>',
  description:
    'vehicle model for each value of that claim, * for all (default: the values are models)',
  parse: parseModels,
};

export const SIGN_ON_SETTINGS = [
  CONSOLE_URL,
  ISSUER,
  CLIENT_ID,
  CLIENT_SECRET,
  REQUEST_SCOPES,
  ROLE_CLAIM,
  OIDC_ROLES,
  SCOPE_CLAIM,
  OIDC_SCOPES,
] as const;
