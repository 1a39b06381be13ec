/** Addresses of single sign-on; the browser leaves the console for them. */
import { signOnApi } from '../../contract/common-api/index.js';

/** @param again whether the provider must ask for the password even with an existing session */
export function signOnAddress(again = false): string {
  const page = new URL(location.href);
  page.searchParams.delete('sign-on');
  const query = new URLSearchParams({ returnTo: page.pathname + page.search });
  if (again) query.set('again', 'true');
  return `${signOnApi.beginSignOn.path}?${query.toString()}`;
}

export const SIGN_OFF_ADDRESS = signOnApi.leaveSignOn.path;
