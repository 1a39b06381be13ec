import { type StoredArtifact } from '../../contract/carota-api/index.js';
import { bytes } from '../format/numbers.js';
import { SelectField, TextField } from '../ui/fields.js';
import { bind } from '../ui/bind.js';
import { type EcuForm } from './script-form.js';

interface EcuFieldsProps {
  readonly place: number;
  readonly ecu: EcuForm;
  readonly artifacts: readonly StoredArtifact[];
  readonly at: (path: string) => string | undefined;
  readonly onChange: (changes: Partial<EcuForm>) => void;
}

/** The update of one ECU. */
export function EcuFields({ place, ecu, artifacts, at, onChange }: EcuFieldsProps) {
  const bound = bind(ecu, onChange, at);
  const path = `/ecus/${place}`;
  return (
    <div className="form-grid">
      <TextField label="ECU" {...bound('ecu', `${path}/ecu`)} placeholder="HU" />
      <TextField label="New version" {...bound('version', `${path}/version`)} placeholder="1.4.0" />
      <SelectField
        label="Artifact"
        {...bound('artifact', `${path}/artifact`)}
        options={[
          { value: '', label: 'choose one' },
          ...artifacts.map(({ sha256, name, size }) => ({
            value: sha256,
            label: `${name}, ${bytes(size)}, ${sha256.slice(0, 8)}…`,
          })),
        ]}
      />
      <TextField
        label="From versions"
        {...bound('from', `${path}/from`)}
        placeholder="1.2.*, 1.3.*"
        help="Leave empty for any version."
      />
      <TextField label="After ECUs" {...bound('after', `${path}/after`)} />
    </div>
  );
}
