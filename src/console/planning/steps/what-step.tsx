import { Link } from 'wouter';
import { updateScriptApi } from '../../../contract/carota-api/index.js';
import { MAX_PAGE } from '../../../contract/http/page-size.js';
import { useApi } from '../../api/use-query.js';
import { SelectField, TextField } from '../../ui/fields.js';
import { type StepProps } from './step.js';

export function WhatStep({ form, set, at }: StepProps) {
  const { data } = useApi(
    updateScriptApi.listScripts,
    { query: { limit: MAX_PAGE } },
    { topics: ['scripts'] },
  );
  const scripts = data?.items ?? [];
  const choose = (refId: string) => {
    const chosen = scripts.find(({ script }) => script['script-ref-id'] === refId);
    set({ script: refId, model: chosen?.script.model ?? '' });
  };
  return (
    <div className="form-grid">
      <TextField
        label="Name (ref-id)"
        value={form.refId}
        onChange={(value) => set({ refId: value })}
        error={form.refId === '' ? undefined : at('/ref-id')}
        help="The operation at the adapter has it too."
      />
      <SelectField
        label="Update script"
        value={form.script}
        onChange={choose}
        error={form.script === '' ? undefined : at('/script-ref-id')}
        options={[
          { value: '', label: 'choose one' },
          ...scripts.map(({ script }) => ({
            value: script['script-ref-id'],
            label: `${script['script-ref-id']}: ${script.ecus.map(({ ecu, version }) => `${ecu} ${version}`).join(', ')}`,
          })),
        ]}
        help={form.model === '' ? undefined : `For ${form.model}.`}
      />
      {data && scripts.length === 0 && (
        <p className="note">
          No update scripts yet: <Link href="/scripts/new">write one</Link> first.
        </p>
      )}
    </div>
  );
}
