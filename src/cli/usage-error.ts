/** Wrong usage of a command; nothing has been done. Exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}
