/** Roles of the CarOTA Server's tokens, and what each may do. */
import { type Permission } from '../http/index.js';

export const CAROTA_ROLES = ['viewer', 'planner', 'supplier', 'vehicle', 'admin'] as const;
export type CarotaRole = (typeof CAROTA_ROLES)[number];

export const CAROTA_GRANTS = {
  viewer: ['read'],
  planner: ['read', 'plan'],
  supplier: ['supply'],
  vehicle: ['fetch'],
  admin: ['read', 'plan', 'supply', 'fetch', 'administer'],
} as const satisfies Readonly<Record<CarotaRole, readonly Permission[]>>;
