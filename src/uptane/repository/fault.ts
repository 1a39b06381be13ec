/** A ceremony cannot continue; nothing has changed. The message names the fault, its location and the remedy. */
export class RepositoryFault extends Error {
  override readonly name = 'RepositoryFault';
}
