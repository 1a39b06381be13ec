/** What a caller may be allowed to do. Which role is granted what is each server's own. */
export type Permission =
  /** Whoever has a token. */
  | 'any'
  | 'read'
  | 'trigger'
  | 'control'
  | 'administer'
  /** Artifacts, update scripts and schedules of the CarOTA Server. */
  | 'plan'
  /** Signed metadata and images of a delegated role of the image repository. */
  | 'supply'
  /** What a vehicle fetches from the CarOTA Server. */
  | 'fetch';

/** What each role of a server may do. */
export type Grants = Readonly<Record<string, readonly Permission[]>>;
