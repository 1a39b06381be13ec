/** Opens single sign-on according to the settings. */
import { Provider } from './provider.js';
import { type SignOn, type SignOnSettings, signOnOf } from './settings.js';

export interface OpenedSignOn {
  readonly settings: SignOn;
  readonly provider: Provider;
}

export interface SignOnContext {
  readonly hasTls: boolean;
  /** Roles of this server that people can have. */
  readonly roles: readonly string[];
  /** ms */
  readonly clock: () => number;
  /** Reaches the provider, with the CAs to trust; undefined: Node’s own. */
  readonly fetch: typeof fetch | undefined;
}

/** The provider is contacted only at the first sign-in, so the server starts without it. @throws BadSettings */
export function openSignOn(
  settings: SignOnSettings,
  { hasTls, roles, clock, fetch: send }: SignOnContext,
): OpenedSignOn | undefined {
  const signOn = signOnOf(settings, hasTls, roles);
  return signOn && { settings: signOn, provider: new Provider(signOn, clock, send) };
}
