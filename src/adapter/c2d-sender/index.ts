export * from './c2d-sender.js';
export { type ClaimedTrigger } from './claim.js';
export { overdueTriggers } from './contenders.js';
export * from './retry.js';
export * from './record-sends.js';
export * from './group-rate.js';
