/** The CarOTA Server's tables. */
import { type Schema } from '../service/database/index.js';

export const CAROTA_SCHEMA: Schema = {
  part: 'carota',
  upkeep: [
    'vacuum (analyze) schedule_vehicles',
    'vacuum (analyze) installed_versions',
    'analyze vehicles',
    'analyze events',
  ],
};
