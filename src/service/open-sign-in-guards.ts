/** Slows down guessing: of tokens and sessions of people and programs, and of credentials or codes of vehicles. */
import {
  DEFAULT_SIGN_IN_LIMITS,
  DEFAULT_VEHICLE_SIGN_IN_LIMITS,
  SignInGuard,
  type SignInGuardOptions,
  type SignInLimits,
} from './access/index.js';
import { type AttemptLog } from './audit/index.js';
import { type Database } from './database/index.js';
import { type OpenedParts } from './opened.js';

interface SignInGuardsContext {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
  readonly watching: Pick<SignInGuardOptions, 'onFailed' | 'onLockOut' | 'onProblem'>;
  readonly attempts: AttemptLog;
  readonly opened: OpenedParts;
}

export interface SignInGuards {
  readonly people: SignInGuard;
  readonly vehicles: SignInGuard;
}

/** Without limits in the settings, the defaults hold. */
export function openSignInGuards(
  limits: {
    readonly people?: SignInLimits | undefined;
    readonly vehicles?: SignInLimits | undefined;
  },
  { database, clock, watching, attempts, opened }: SignInGuardsContext,
): SignInGuards {
  const open = (name: string, limited: SignInLimits) => {
    const guard = new SignInGuard({
      database,
      clock,
      limits: limited,
      ...watching,
      onFailed: (attempt) => {
        watching.onFailed(attempt);
        attempts.signInFailed(attempt);
      },
    });
    guard.start();
    opened.add(name, () => guard.stop());
    return guard;
  };
  return {
    people: open('sign-ins of people', limits.people ?? DEFAULT_SIGN_IN_LIMITS),
    vehicles: open('sign-ins of vehicles', limits.vehicles ?? DEFAULT_VEHICLE_SIGN_IN_LIMITS),
  };
}
