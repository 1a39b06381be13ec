import { type SchedulePreview } from '../../../contract/carota-api/index.js';
import { type PlanForm } from '../plan-form.js';

export interface StepProps {
  readonly form: PlanForm;
  readonly set: (changes: Partial<PlanForm>) => void;
  /** The error of a field of the plan, by its JSON Pointer. */
  readonly at: (path: string) => string | undefined;
  readonly preview: SchedulePreview | undefined;
}
