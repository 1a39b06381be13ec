/** Combines the requests of many vehicles into few statements. */
import { setTimeout } from 'node:timers/promises';
import { type BatchLimits } from '../../service/batches.js';

/** A pause that no vehicle notices: under load, each statement then covers several vehicles. */
export const STATEMENTS: BatchLimits = { most: 500, pause: () => setTimeout(5) };
