/** Who may do what at the OTA Adapter (contract section 4). */
import { type Grants } from '../http/index.js';

export const ROLES = ['carota', 'viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const GRANTS = {
  carota: ['read', 'trigger'],
  viewer: ['read'],
  operator: ['read', 'control'],
  admin: ['read', 'trigger', 'control', 'administer'],
} as const satisfies Grants & Readonly<Record<Role, unknown>>;
