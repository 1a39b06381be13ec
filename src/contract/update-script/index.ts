/** What a `script-ref-id` stands for. */
export * from './update-script.js';
