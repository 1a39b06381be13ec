/** The adapter's tables. */
import { type Schema } from '../service/database/index.js';

export const ADAPTER_SCHEMA: Schema = {
  part: 'adapter',
  upkeep: [
    'vacuum (analyze) deliveries',
    'vacuum (analyze) operation_counters',
    'vacuum (analyze) message_totals',
    'analyze vehicles',
  ],
};
