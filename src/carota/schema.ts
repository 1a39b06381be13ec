/** The CarOTA Server's tables. */
import { type Schema } from '../service/database/index.js';

export const CAROTA_SCHEMA: Schema = { part: 'carota' };
