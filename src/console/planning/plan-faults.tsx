import { type FieldError } from '../../contract/values/validate.js';

/**
 * The error of a field, by its path; an error inside a field counts as the field's.
 *
 * @param isEdited whether the form has been edited; an untouched form shows no errors
 */
export const faultsAt =
  (errors: readonly FieldError[], isEdited: boolean) =>
  (path: string): string | undefined =>
    isEdited
      ? errors.find((error) => error.path === path || error.path.startsWith(`${path}/`))?.message
      : undefined;

interface FaultsProps {
  readonly errors: readonly FieldError[];
  readonly isChecked: boolean;
  readonly good: string;
}

/** All errors with their fields. */
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
