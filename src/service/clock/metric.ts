/** The clock metric of both servers. */
export const CLOCK_OFFSET = {
  name: 'otaops_clock_offset_seconds',
  help: 'By how much the clock of this machine is ahead of the database’s.',
} as const;
