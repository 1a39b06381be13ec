/** A ceremony cannot go on; nothing has changed. The message says what is wrong, where, and what to do. */
export class RepositoryFault extends Error {
  override readonly name = 'RepositoryFault';
}
