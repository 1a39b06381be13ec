/** What `otaops bench` measures. */

/** The parts of a run, in their order. */
export const PARTS = [
  'events',
  'embedded',
  'trigger',
  'latency',
  'callback',
  'sizes',
  'history',
  'adapters',
  'guard',
  'director',
  'console',
  'start',
] as const;
export type Part = (typeof PARTS)[number];
