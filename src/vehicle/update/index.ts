export * from './equipment.js';
export * from './facts.js';
export * from './machine.js';
export { DEFAULT_PACE, type Pace } from './phase-context.js';
export * from './update-runner.js';
