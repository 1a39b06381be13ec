/** The command was called in a way it does not allow; nothing has been done. Exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}
