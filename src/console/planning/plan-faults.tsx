import { type FieldError } from '../../contract/values/validate.js';

/**
 * What is wrong with a field, by its path; a fault of what is inside a field is the field's.
 *
 * @param isBegun nothing is wrong with a form that no one has begun to fill in
 */
export const faultsAt =
  (errors: readonly FieldError[], isBegun: boolean) =>
  (path: string): string | undefined =>
    isBegun
      ? errors.find((error) => error.path === path || error.path.startsWith(`${path}/`))?.message
      : undefined;

interface FaultsProps {
  readonly errors: readonly FieldError[];
  readonly isChecked: boolean;
  readonly good: string;
}

/** Every fault, with where it is. */
export function Faults({ errors, isChecked, good }: FaultsProps) {
  return (
    <div role="status" className="faults">
      {!isChecked && <p className="muted">Checking …</p>}
      {isChecked && errors.length === 0 && <p>{good}</p>}
      <ul>
        {errors.map(({ path, message }) => (
          <li key={`${path} ${message}`} className="fault">
            <code>{path === '' ? '/' : path}</code> {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
