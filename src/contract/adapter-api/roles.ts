/** Who may do what at the OTA Adapter (contract section 4). */
import { type Grants } from '../http/index.js';

/** Roles of the OTA Adapter. */
export const ROLES = ['carota', 'viewer', 'operator', 'admin'] as const;
/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Permissions of each role of the OTA Adapter (contract section 4). */
export const GRANTS = {
  carota: ['read', 'trigger'],
  viewer: ['read'],
  operator: ['read', 'control'],
  admin: ['read', 'trigger', 'control', 'administer'],
} as const satisfies Grants & Readonly<Record<Role, unknown>>;
