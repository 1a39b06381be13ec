/** A person's identity and rights on this server, from the provider's claims. Pure. */
import { isInScope, type Scopes } from '../../contract/index.js';
import { personId } from '../access/index.js';
import { type RoleOfClaim, type SignOn } from './settings.js';

export type Claims = Readonly<Record<string, unknown>>;

export interface Person {
  /** Stable and unique at this server; in the audit log, it takes the place of a token’s id. */
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Vehicle models that the person is limited to; null: not limited. */
  readonly scopes: Scopes;
}

/** OpenID Connect Core 1.0, section 2: at most 255 ASCII characters. */
const SUBJECT = /^[\x21-\x7e]{1,255}$/;
/** Longest name that we keep, characters. */
const MAX_NAME = 200;

/** @returns undefined if the subject is invalid, which no provider may send */
export function identityOf(claims: Claims): Omit<Person, 'role' | 'scopes'> | undefined {
  const sub = subjectOf(claims);
  if (sub === undefined) return undefined;
  const names = [claims.name, claims.preferred_username, claims.email].map(printable);
  return { id: personId(sub), name: names.find((name) => name !== '') ?? sub };
}

/** @returns undefined if it is not valid */
export const subjectOf = ({ sub }: Claims): string | undefined =>
  typeof sub === 'string' && SUBJECT.test(sub) ? sub : undefined;

/** The provider’s session, if stated (Back-Channel Logout 1.0, section 2.1). */
export const providerSessionOf = ({ sid }: Claims): string | undefined =>
  typeof sid === 'string' && SUBJECT.test(sid) ? sid : undefined;

/** People choose their names themselves, and the names appear in the audit log and on screens. */
function printable(value: unknown): string {
  if (typeof value !== 'string') return '';
  const text = value
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .trim();
  return Array.from(text).slice(0, MAX_NAME).join('');
}

/** @returns undefined: none at this server */
export function roleOf(
  claims: Claims,
  roleClaim: string,
  roles: readonly RoleOfClaim[],
): string | undefined {
  const claimed = new Set(textsIn(claimOf(claims, roleClaim)));
  return roles.find(({ value }) => claimed.has(value))?.role;
}

/** Value of a claim that stands for all vehicle models. */
const ALL_MODELS = '*';

/**
 * The person's scopes. If a claim for them is configured, a person sees only the models in the claim; without the claim,
 * none.
 */
export function scopesOfClaims(
  claims: Claims,
  { scopeClaim, scopes: mapping }: Pick<SignOn, 'scopeClaim' | 'scopes'>,
): Scopes {
  if (scopeClaim === undefined) return null;
  const claimed = textsIn(claimOf(claims, scopeClaim));
  const models = mapping
    ? mapping.filter(({ value }) => claimed.includes(value)).map(({ model }) => model)
    : claimed;
  if (isInScope(models, ALL_MODELS)) return null;
  return [...new Set(models)].filter((model) => MODEL.test(model)).sort();
}

/** Other values are not models: see `Identifier`. */
const MODEL = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/** A claim with exactly this name, such as a URL, or otherwise a path into objects: `realm_access.roles`. */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

const textsIn = (value: unknown): string[] =>
  [value].flat().filter((one): one is string => typeof one === 'string');
