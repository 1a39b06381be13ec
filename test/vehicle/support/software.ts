/** Software for an ECU, different each time. */
import { randomBytes } from 'node:crypto';

export const softwareOf = (bytes: number) => randomBytes(bytes);
