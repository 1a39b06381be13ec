/**
 * Enforces the scope of each route (contract section 9): before a route's own code runs, a caller limited to vehicle models
 * is refused, or gets the answer for an unknown object. A route without a rule is refused.
 */
import { type FastifyRequest } from 'fastify';
import { type Scopes, type ScopeRule } from '../../contract/index.js';
import { Problem } from './problem.js';
import { callerOf } from './serve.js';

/** Looks up the object in a path for a limited caller; returns the problem that the route would answer if it did not exist. */
export type ScopeLookUp = (
  params: Readonly<Record<string, string>>,
  scopes: readonly string[],
) => Promise<Problem | undefined>;

/** One per rule that names an object. */
export type ScopeLookUps = Readonly<Partial<Record<ScopeRule, ScopeLookUp>>>;

/** The caller's scopes. */
export const scopesOf = (request: FastifyRequest): Scopes => callerOf(request).scopes;

/** The same answer for everything outside the scopes, so that it does not reveal what exists. */
export const outOfScope = (what: string): Problem =>
  new Problem('OUT_OF_SCOPE', `the caller is limited to some vehicle models: ${what}`);

/** Rules that name nothing: `unscoped-only` is refused before, the others are up to the route. */
export const UNCHECKED_RULES: ReadonlySet<ScopeRule> = new Set([
  'none',
  'filtered',
  'unscoped-only',
]);

/** Of a route that spans models. @throws Problem 403 */
export function refuseSpanning(scopes: Scopes, rule: ScopeRule | undefined): void {
  if (scopes === null) return;
  if (rule === undefined || rule === 'unscoped-only') throw outOfScope('this spans all models');
}

/** Looks up the object in the path, whose parameters are valid. @throws Problem 404 */
export async function findInScope(request: FastifyRequest, lookUps: ScopeLookUps): Promise<void> {
  const { scope } = request.routeOptions.config;
  const scopes = request.caller?.scopes ?? null;
  if (scopes === null || scope === undefined || UNCHECKED_RULES.has(scope)) return;
  const problem = await lookUpOf(lookUps, scope)(
    request.params as Readonly<Record<string, string>>,
    scopes,
  );
  if (problem) throw problem;
}

/** @throws Error if the server lacks a look-up that a route needs */
export function lookUpOf(lookUps: ScopeLookUps, rule: ScopeRule): ScopeLookUp {
  const lookUp = lookUps[rule];
  if (!lookUp) throw new Error(`this server cannot look up what a route of scope ${rule} names`);
  return lookUp;
}
