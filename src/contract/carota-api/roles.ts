/** Roles of the CarOTA Server's tokens, and what each may do. */
import { type Permission } from '../http/index.js';

/** Roles of the CarOTA Server. */
export const CAROTA_ROLES = ['viewer', 'planner', 'supplier', 'vehicle', 'admin'] as const;
/** One of {@link CAROTA_ROLES}. */
export type CarotaRole = (typeof CAROTA_ROLES)[number];

/** Permissions of each role of the CarOTA Server. */
export const CAROTA_GRANTS = {
  viewer: ['read'],
  planner: ['read', 'plan'],
  supplier: ['supply'],
  vehicle: ['fetch'],
  admin: ['read', 'plan', 'supply', 'fetch', 'administer'],
} as const satisfies Readonly<Record<CarotaRole, readonly Permission[]>>;
