/**
 * How a route holds for a caller who is limited to some vehicle models (contract section 9). Every route states it, and the
 * server enforces it before the route’s own code runs; docs/access.md has the table.
 */
export const SCOPE_RULES = [
  /** It is about no vehicle, or about the caller. */
  'none',
  /** It spans models: a limited caller is refused. */
  'unscoped-only',
  /** Its answer leaves out, and its request is refused for, what is of other models. */
  'filtered',
  /** It names an operation; one of another model is unknown to the caller. So are vehicles of other models in it. */
  'operation',
  /** It names an operation and a vehicle in it; each of another model is unknown. */
  'operation-vehicle',
  /** It names a vehicle; one of another model, or without a model, is unknown. */
  'vehicle',
] as const;
/** One of {@link SCOPE_RULES}. */
export type ScopeRule = (typeof SCOPE_RULES)[number];

/** Vehicle models that somebody is limited to; null: not limited. Of an empty list nothing is seen. */
export type Scopes = readonly string[] | null;

/** Most models that one token is limited to. */
export const MAX_SCOPES = 100;

/** Whether something of this model concerns somebody. @param model null: of no model, or of several */
export const isInScope = (scopes: Scopes, model: string | null): boolean =>
  scopes === null || (model !== null && scopes.includes(model));
