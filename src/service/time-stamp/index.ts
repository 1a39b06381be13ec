/** Time stamps (RFC 3161). */
export { BadTimeStamp } from './bad-time-stamp.js';
export * from './time-stamp-answer.js';
export * from './time-stamp-authority.js';
