/** Software of an ECU: no two have the same. */
import { randomBytes } from 'node:crypto';

export const softwareOf = (bytes: number) => randomBytes(bytes);
