/** The adapter's tables. */
import { type Schema } from '../service/database/index.js';

export const ADAPTER_SCHEMA: Schema = { part: 'adapter' };
