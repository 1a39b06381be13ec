/** Properties of every route for a caller limited to vehicle models. */
import { expect } from 'vitest';
import { type Grants, isInScope, type Route } from '../../src/contract/index.js';
import { type RawAnswer, type RawCall } from './raw-call.js';
import {
  foreignMarksIn,
  type Mark,
  modelOf,
  MODELS,
  type Named,
  named,
  UNKNOWN,
} from './scoped-names.js';

/** How a route is called about a vehicle model. */
export type Calls = (about: Named) => readonly RawCall[];

export interface Principal {
  readonly role: string;
  /** Marks of the models that the caller may see. */
  readonly own: readonly Mark[];
}

export interface Calling {
  readonly send: (route: Route, call: RawCall) => Promise<RawAnswer>;
  readonly requests: Readonly<Record<string, Calls>>;
  readonly grants: Grants;
}

/** Calls a route about each model. @param names of each model's data */
export async function expectScopeHolds(
  route: Route,
  { role, own }: Principal,
  names: Readonly<Record<Mark, Named>>,
  calling: Calling,
): Promise<void> {
  // An open route is the same for all callers.
  const marks = route.permission === 'open' ? own.slice(0, 1) : MODELS;
  for (const mark of marks) {
    if (isInScope(own.map(modelOf), modelOf(mark))) {
      await expectOwnOnly(route, names[mark], { role, own }, calling);
    } else await expectNothingLearnt(route, names[mark], calling);
  }
}

/** A call about a foreign model gets the same answer as one about a model that does not exist. */
async function expectNothingLearnt(
  route: Route,
  foreign: Named,
  { send, requests }: Calling,
): Promise<void> {
  const calls = requests[route.id] ?? (() => []);
  const unknown = calls(named(UNKNOWN, foreign.run));
  for (const [place, call] of calls(foreign).entries()) {
    // A call without a name in it is about everything.
    if (!JSON.stringify(call).toUpperCase().includes(foreign.mark)) continue;
    const answer = await send(route, call);
    const measure = await send(route, unknown[place] ?? {});
    const asIfUnknown = answer.text
      .replaceAll(foreign.mark, UNKNOWN)
      .replaceAll(foreign.mark.toLowerCase(), UNKNOWN.toLowerCase());
    expect([route.id, answer.status, asIfUnknown]).toEqual([
      route.id,
      measure.status,
      measure.text,
    ]);
  }
}

/** The answer to a call about an own model, or about everything, contains only own data. */
async function expectOwnOnly(
  route: Route,
  about: Named,
  { role, own }: Principal,
  { send, requests, grants }: Calling,
): Promise<void> {
  for (const call of requests[route.id]?.(about) ?? []) {
    const { status, text } = await send(route, call);
    expect([route.id, foreignMarksIn(text, own)]).toEqual([route.id, []]);
    expect([route.id, status < 500]).toEqual([route.id, true]);
    if (route.permission === 'open') continue;
    const granted: readonly string[] = grants[role] ?? [];
    if (route.permission !== 'any' && !granted.includes(route.permission)) continue;
    if (route.scope === 'unscoped-only') {
      expect([route.id, status, text.includes('OUT_OF_SCOPE')]).toEqual([route.id, 403, true]);
    } else if (route.method === 'GET') {
      expect([route.id, status]).toEqual([route.id, 200]);
    }
  }
}
