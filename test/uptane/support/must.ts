/** The value, which must exist in a test. */
export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('a test expected a value here');
  return value;
}
