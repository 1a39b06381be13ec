/** What holds where a guard does not say otherwise; times in seconds. */
export const GUARD_DEFAULTS = {
  exposureCap: 100,
  deadline: 604_800,
  afterReboot: 3_600,
  soak: 86_400,
} as const;
