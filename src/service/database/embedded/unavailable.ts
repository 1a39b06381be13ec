/** The embedded PostgreSQL cannot run here. The message gives the reason and a remedy. */
export class EmbeddedUnavailable extends Error {
  override readonly name = 'EmbeddedUnavailable';

  constructor(
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(
      `the embedded PostgreSQL cannot run here: ${why}. ` +
        'Fix this, or use a PostgreSQL server: --database-url postgres://…',
      options,
    );
  }
}
