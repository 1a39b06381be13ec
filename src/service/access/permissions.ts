/** Who may do what: pure. Each server's contract says which role has which permissions. */
import { type Grants, type Permission } from '../../contract/index.js';

/** An unknown role has no permissions. */
export function mayDo(grants: Grants, role: string, permission: Permission): boolean {
  const granted = grants[role];
  return granted !== undefined && (permission === 'any' || granted.includes(permission));
}
