/** Permissions of callers. Each server decides which roles grant them. */
export type Permission =
  /** Anyone with a token. */
  | 'any'
  | 'read'
  | 'trigger'
  | 'control'
  | 'administer'
  /** Artifacts, update scripts and schedules of the CarOTA Server. */
  | 'plan'
  /** Signed metadata and images of a delegated role of the image repository. */
  | 'supply'
  /** Requests of vehicles to the CarOTA Server. */
  | 'fetch';

/** What each role of a server may do. */
export type Grants = Readonly<Record<string, readonly Permission[]>>;
