/** Who may do what (contract section 4). */
import { type Grants } from '../service/access/index.js';

export const ROLES = ['carota', 'viewer', 'operator', 'admin'] as const;

export const GRANTS: Grants = {
  carota: ['read', 'trigger'],
  viewer: ['read'],
  operator: ['read', 'control'],
  admin: ['read', 'trigger', 'control', 'administer'],
};
