/** Who is signed in. */
export interface Session {
  readonly name: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly server: 'adapter' | 'carota';
  readonly version: string;
  /** Of the CarOTA Server: whether schedules are to be approved, and by whom. */
  readonly approval?: 'none' | 'anyone' | 'second-person';
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}
