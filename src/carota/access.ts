/** Who may do what at the CarOTA Server. */
import { type Grants } from '../service/access/index.js';

export const CAROTA_ROLES = ['viewer', 'planner', 'vehicle', 'admin'] as const;

export const CAROTA_GRANTS: Grants = {
  viewer: ['read'],
  planner: ['read', 'plan'],
  vehicle: ['fetch'],
  admin: ['read', 'plan', 'fetch', 'administer'],
};
