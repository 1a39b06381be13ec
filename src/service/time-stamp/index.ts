/** Time stamps (RFC 3161). */
export * from './time-stamp-answer.js';
export * from './time-stamp-authority.js';
