/** Who may do what: pure. Each server says which role has which permissions. */

export type Permission =
  /** Whoever has a token. */
  | 'any'
  | 'read'
  | 'trigger'
  | 'control'
  | 'administer'
  /** Artifacts, update scripts and schedules of the CarOTA Server. */
  | 'plan'
  /** What a vehicle fetches from the CarOTA Server. */
  | 'fetch';

export type Grants = Readonly<Record<string, readonly Permission[]>>;

/** A role that is not known may do nothing. */
export function mayDo(grants: Grants, role: string, permission: Permission): boolean {
  const granted = grants[role];
  return granted !== undefined && (permission === 'any' || granted.includes(permission));
}
