/** Permissions. Each server defines which role has which. Pure. */

export type Permission =
  /** Anyone with a token. */
  | 'any'
  | 'read'
  | 'trigger'
  | 'control'
  | 'administer'
  /** Artifacts, update scripts and schedules of the CarOTA Server. */
  | 'plan'
  /** Scripts and artifacts that a vehicle fetches from the CarOTA Server. */
  | 'fetch';

export type Grants = Readonly<Record<string, readonly Permission[]>>;

/** An unknown role has no permissions. */
export function mayDo(grants: Grants, role: string, permission: Permission): boolean {
  const granted = grants[role];
  return granted !== undefined && (permission === 'any' || granted.includes(permission));
}
