/** Hardware and release counter of a file, which make it a target of the image repository. */
import { given } from '../format/given.js';
import { numberOf } from '../format/number-text.js';
import { bind } from '../ui/bind.js';
import { NumberField, TextField } from '../ui/fields.js';

export interface TargetForm {
  readonly hardwareIds: string;
  readonly releaseCounter: string;
}

export const EMPTY_TARGET: TargetForm = { hardwareIds: '', releaseCounter: '' };

/** As the query of an upload; nothing if both are empty. */
export const targetOf = ({ hardwareIds, releaseCounter }: TargetForm) =>
  given({ hardwareIds: hardwareIds.trim(), releaseCounter: numberOf(releaseCounter) });

const COUNTER = { isInteger: true, min: 0, max: Number.MAX_SAFE_INTEGER };

export function TargetFields({
  ecus,
  form,
  onChange,
}: {
  /** Whose hardware it is. */
  readonly ecus: string;
  readonly form: TargetForm;
  readonly onChange: (form: TargetForm) => void;
}) {
  const bound = bind(form, (changes) => onChange({ ...form, ...changes }));
  return (
    <div className="form-grid">
      <TextField
        label="Hardware ids"
        help={`Hardware ids of ${ecus}, separated by commas. Vehicles install only images from the image repository.`}
        {...bound('hardwareIds')}
      />
      <NumberField
        label="Release counter"
        help="An ECU never returns to a lower one."
        rule={COUNTER}
        {...bound('releaseCounter')}
      />
    </div>
  );
}
