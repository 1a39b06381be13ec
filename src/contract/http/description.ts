/** The description of a route in the OpenAPI document: its own text, and what the route states besides. Pure. */
import { type Grants, type Permission } from './permission.js';
import { type Route } from './route.js';
import { type ScopeRule } from './scope.js';

/**
 * Its own text, then who may call it, what the audit log records, and how to page and repeat. Never empty.
 *
 * @param grants roles of the server
 */
export function descriptionOf(route: Route, grants: Grants): string {
  const stated = [
    callersOf(route.permission, grants),
    SCOPES[route.scope],
    freshSignInOf(route),
    auditOf(route),
    pagingOf(route),
    loadOf(route),
    repetitionOf(route),
  ].filter((sentence) => sentence !== undefined);
  return [...(route.description === undefined ? [] : [route.description]), stated.join(' ')].join(
    '\n\n',
  );
}

function callersOf(permission: Permission | 'open', grants: Grants): string {
  if (permission === 'open') return 'No token is needed.';
  if (permission === 'any') return 'Any valid token will do.';
  const roles = Object.keys(grants).filter((role) => grants[role]?.includes(permission));
  const names = `Roles: ${roles.map((role) => `\`${role}\``).join(', ')}.`;
  return permission === 'fetch'
    ? `${names} On the port for vehicles, a client certificate takes the place of the token.`
    : names;
}

const unknown = (objects: string) =>
  `To callers limited to vehicle models, ${objects} of other models are unknown.`;

const SCOPES: Readonly<Record<ScopeRule, string | undefined>> = {
  none: undefined,
  'unscoped-only': 'Callers limited to vehicle models are refused.',
  filtered:
    'For callers limited to vehicle models, the answer omits objects of other models, and requests that name them are refused.',
  operation: unknown('operations and vehicles'),
  'operation-vehicle': unknown('operations and vehicles'),
  schedule: unknown('schedules and vehicles'),
  'schedule-vehicle': unknown('schedules and vehicles'),
  'update-script': unknown('update scripts'),
  vehicle:
    'To callers limited to vehicle models, vehicles of another model or of none are unknown.',
};

const freshSignInOf = ({ freshSignIn }: Route) =>
  freshSignIn
    ? 'People who use single sign-on need a recent sign-in; without one, the error is `SIGN_IN_AGAIN`.'
    : undefined;

function auditOf({ audit, unaudited }: Route): string | undefined {
  if (audit !== undefined) return `Recorded in the audit log as \`${audit}\`.`;
  return unaudited === undefined ? undefined : `Not recorded in the audit log: ${unaudited}.`;
}

const pagingOf = ({ query }: Route) =>
  query !== undefined && 'cursor' in query.properties
    ? 'For the next page, send `nextCursor` as `cursor`, until it is null.'
    : undefined;

function loadOf({ load, loadWith }: Route): string | undefined {
  if (load === undefined) return undefined;
  const which = loadWith === undefined ? 'These requests' : `Requests with \`${loadWith}\``;
  return `${which} are limited in number, per token and in total: further ones get a 429 while so many are in progress.`;
}

/** Other methods may be repeated anyway (RFC 9110, section 9.2.2). */
const repetitionOf = ({ method, repeatable }: Route) =>
  repeatable && (method === 'POST' || method === 'PATCH')
    ? 'A request without an answer may be sent again: the second one changes nothing.'
    : undefined;
