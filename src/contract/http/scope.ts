/**
 * How a route holds for a caller who is limited to some vehicle models (contract section 9). Every route states it, and the
 * server enforces it before the route’s own code runs; docs/access.md has the table.
 */
export const SCOPE_RULES = [
  /** It is about no vehicle, or about the caller. */
  'none',
  /** It spans models: a limited caller is refused. */
  'unscoped-only',
  /** The answer omits objects of other models, and a request about them is refused. */
  'filtered',
  /** It names an operation; one of another model is unknown to the caller. So are vehicles of other models in it. */
  'operation',
  /** It names an operation and a vehicle in it; each of another model is unknown. */
  'operation-vehicle',
  /** It names a schedule; one of another model is unknown. So are vehicles of other models in it. */
  'schedule',
  /** It names a schedule and a vehicle in it; each of another model is unknown. */
  'schedule-vehicle',
  /** It names an update script; one of another model is unknown. */
  'update-script',
  /** It names a vehicle; one of another model, or without a model, is unknown. */
  'vehicle',
] as const;
/** One of {@link SCOPE_RULES}. */
export type ScopeRule = (typeof SCOPE_RULES)[number];

/** Vehicle models to which a caller is limited; null: not limited. An empty list shows nothing. */
export type Scopes = readonly string[] | null;

/** Most models that one token is limited to. */
export const MAX_SCOPES = 100;

/** Whether an object of this model is within the scopes. @param model null: of no model, or of several */
export const isInScope = (scopes: Scopes, model: string | null): boolean =>
  scopes === null || (model !== null && scopes.includes(model));
