/** Permissions of callers. Each server decides which roles grant them. */
export const PERMISSIONS = [
  /** Anyone with a token. */
  'any',
  'read',
  'trigger',
  'control',
  'administer',
  /** Artifacts, update scripts and schedules of the CarOTA Server. */
  'plan',
  /** Signed metadata and images of a delegated role of the image repository. */
  'supply',
  /** Requests of vehicles to the CarOTA Server. */
  'fetch',
] as const;
/** One of {@link PERMISSIONS}. */
export type Permission = (typeof PERMISSIONS)[number];

/** What each role of a server may do. */
export type Grants = Readonly<Record<string, readonly Permission[]>>;
