/** Limits on wrong secrets, each a setting (docs/deployment.md). */
export interface SignInLimits {
  /** Wrong secrets from one address before it has to wait; 0: never. */
  readonly perAddress: number;
  /** The same for one name from one address. */
  readonly perName: number;
}

export const DEFAULT_SIGN_IN_LIMITS: SignInLimits = { perAddress: 100, perName: 10 };
/** A mobile network or a load balancer may have thousands of vehicles behind one address. */
export const DEFAULT_VEHICLE_SIGN_IN_LIMITS: SignInLimits = { perAddress: 0, perName: 10 };
