/** How the requests of many vehicles become few statements. */
import { setTimeout } from 'node:timers/promises';
import { type BatchLimits } from '../../service/batches.js';

/** A pause that no vehicle notices: under load, each statement then reads or stores several of them. */
export const STATEMENTS: BatchLimits = { most: 500, pause: () => setTimeout(5) };
