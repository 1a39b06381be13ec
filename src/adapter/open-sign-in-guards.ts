/** Guards against guessing: tokens and sessions of people and programs, and credentials of vehicles. */
import {
  DEFAULT_SIGN_IN_LIMITS,
  DEFAULT_VEHICLE_SIGN_IN_LIMITS,
  SignInGuard,
  type SignInGuardOptions,
  type SignInLimits,
} from '../service/access/index.js';
import { type AttemptLog } from '../service/audit/index.js';
import { type OpenedParts } from '../service/opened.js';
import { type Database } from '../service/database/index.js';
import { type AdapterSettings } from './settings.js';

type Watching = Pick<SignInGuardOptions, 'onFailed' | 'onLockOut' | 'onProblem'>;

export function openSignInGuards(
  { signInLimits, vehicleSignInLimits }: AdapterSettings,
  database: Database,
  clock: () => number,
  watching: Watching,
  attempts: AttemptLog,
  opened: OpenedParts,
): { readonly people: SignInGuard; readonly vehicles: SignInGuard } {
  const open = (name: string, limits: SignInLimits) => {
    const guard = new SignInGuard({
      database,
      clock,
      limits,
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
    people: open('sign-ins of people', signInLimits ?? DEFAULT_SIGN_IN_LIMITS),
    vehicles: open('sign-ins of vehicles', vehicleSignInLimits ?? DEFAULT_VEHICLE_SIGN_IN_LIMITS),
  };
}
