/** How secrets of tokens and sessions are kept. */
import { hash } from 'node:crypto';

/** Of a secret of 256 random bits: it cannot be guessed, so a fast hash protects it. */
export const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer');
