import { createContext, useContext } from 'react';
import { type Session } from '../../contract/common-api/index.js';

export const SessionContext = createContext<Session | undefined>(undefined);

/** Who is signed in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('no one is signed in');
  return session;
}

/** Whether the one who is signed in may; what may not be done is not offered, and the server refuses it. */
export const useMay = (permission: string): boolean =>
  useSession().permissions.includes(permission);
