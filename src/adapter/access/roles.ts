/** Who may do what (contract section 4): pure. */

export const ROLES = ['carota', 'viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const PERMISSIONS = ['read', 'trigger', 'control', 'administer'] as const;
export type Permission = (typeof PERMISSIONS)[number];

const GRANTED: Readonly<Record<Role, readonly Permission[]>> = {
  carota: ['read', 'trigger'],
  viewer: ['read'],
  operator: ['read', 'control'],
  admin: ['read', 'trigger', 'control', 'administer'],
};

export function mayDo(role: Role, permission: Permission): boolean {
  return GRANTED[role].includes(permission);
}
