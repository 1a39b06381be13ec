export * from './c2d-sender.js';
export { type ClaimedTrigger, overdueTriggers } from './claim.js';
export * from './retry.js';
export * from './settle-sends.js';
export * from './group-rate.js';
