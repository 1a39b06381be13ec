import { createContext, useContext } from 'react';
import { type Session } from '../../contract/common-api/index.js';
import { type Permission } from '../../contract/http/permission.js';

export const SessionContext = createContext<Session | undefined>(undefined);

/** The current session. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('not signed in');
  return session;
}

/** Whether the user is limited to some vehicle models: what spans all of them is not shown, and the server refuses it. */
export const useIsLimited = (): boolean => useSession().scopes !== null;

/** Whether the user has a permission. Actions without permission are not offered, and the server refuses them. */
export const useMay = (permission: Permission): boolean =>
  useSession().permissions.includes(permission);
