import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { type Artifact, type UpdateScript } from '../api/carota.js';
import { type ApiError, type FieldError, send } from '../api/client.js';
import { type Page as ApiPage } from '../api/session.js';
import { useApi } from '../api/use-query.js';
import { scriptAt } from '../app/address.js';
import { bytes } from '../format/numbers.js';
import { CheckField, SelectField, TextArea, TextField } from '../ui/fields.js';
import { Failure } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { useSettled } from '../vehicles/use-settled.js';
import { faultsAt, Faults } from './plan-faults.js';
import { EMPTY_ECU, EMPTY_SCRIPT, type EcuForm, type ScriptForm, scriptOf } from './script-form.js';

interface Validity {
  readonly valid: boolean;
  readonly errors?: readonly FieldError[];
}

const NONE: readonly Artifact[] = [];

/** Written in fields, checked by the server as one writes, signed and published by it. */
export function NewScriptPage() {
  const [form, setForm] = useState(EMPTY_SCRIPT);
  const [, navigate] = useLocation();
  const artifacts =
    useApi<ApiPage<Artifact>>('/v1.0/artifacts', { limit: 1000 }, { topics: ['artifacts'] }).data
      ?.items ?? NONE;
  const script = scriptOf(form, artifacts);
  const { errors, isChecked } = useValidity(script);
  const publish = useMutation<{ script: UpdateScript }, ApiError>({
    mutationFn: () => send('POST', '/v1.0/update-scripts', script),
    onSuccess: ({ script: made }) => navigate(scriptAt(made['script-ref-id'])),
  });
  const set =
    <Name extends keyof ScriptForm>(name: Name) =>
    (value: ScriptForm[Name]) =>
      setForm((before) => ({ ...before, [name]: value }));
  const setEcu = (place: number, change: Partial<EcuForm>) =>
    set('ecus')(form.ecus.map((ecu, at) => (at === place ? { ...ecu, ...change } : ecu)));
  const at = faultsAt(errors, form.refId !== '');

  return (
    <Page title="New update script">
      <div className="cards">
        <Card title="What" wide>
          <div className="form-grid">
            <TextField
              label="Name (script-ref-id)"
              value={form.refId}
              onChange={set('refId')}
              error={at('/script-ref-id')}
            />
            <TextField
              label="Model"
              value={form.model}
              onChange={set('model')}
              error={at('/model')}
            />
          </div>
          {form.ecus.map((ecu, place) => (
            <EcuFields
              key={place}
              place={place}
              ecu={ecu}
              artifacts={artifacts}
              at={at}
              onChange={(change) => setEcu(place, change)}
              {...(form.ecus.length > 1
                ? { onRemove: () => set('ecus')(form.ecus.filter((_, at) => at !== place)) }
                : {})}
            />
          ))}
          <button type="button" onClick={() => set('ecus')([...form.ecus, EMPTY_ECU])}>
            Add an ECU
          </button>
          {artifacts.length === 0 && (
            <p className="note">
              There is no artifact yet: <Link href="/artifacts">upload one</Link> first.
            </p>
          )}
        </Card>
        <Card title="How">
          <TextArea
            label="Question to the driver"
            value={form.consent}
            onChange={set('consent')}
            rows={2}
            help="Empty: the driver is not asked."
            error={at('/consent/text')}
          />
          <div className="form-grid">
            <TextField
              label="Answer within, seconds"
              type="number"
              value={form.consentTimeout}
              onChange={set('consentTimeout')}
              error={at('/consent/timeout')}
            />
            <TextField
              label="Battery at least, percent"
              type="number"
              min={0}
              max={100}
              value={form.battery}
              onChange={set('battery')}
              error={at('/preconditions/battery')}
            />
            <SelectField
              label="Gear"
              value={form.gear}
              onChange={set('gear')}
              options={[
                { value: '', label: 'any' },
                { value: 'park', label: 'park' },
              ]}
            />
            <SelectField
              label="Ignition"
              value={form.ignition}
              onChange={set('ignition')}
              options={[
                { value: '', label: 'any' },
                { value: 'on', label: 'on' },
                { value: 'off', label: 'off' },
              ]}
            />
            <TextField
              label="Waits for these, seconds"
              type="number"
              value={form.waiting}
              onChange={set('waiting')}
              error={at('/preconditions/timeout')}
            />
            <TextField
              label="Installs from"
              type="time"
              value={form.from}
              onChange={set('from')}
              error={at('/window/from')}
              help="The vehicle’s time."
            />
            <TextField
              label="until"
              type="time"
              value={form.to}
              onChange={set('to')}
              error={at('/window/to')}
            />
          </div>
          <CheckField
            label="Go back to the software before, where the new one does not start"
            checked={form.rollback}
            onChange={set('rollback')}
          />
          <CheckField
            label="Allow an older version than the one that runs"
            checked={form.downgrade}
            onChange={set('downgrade')}
          />
        </Card>
        <Card title="As it will be signed">
          <pre tabIndex={0}>{JSON.stringify(script, null, 2)}</pre>
          {form.refId !== '' && (
            <Faults errors={errors} isChecked={isChecked} good="The script is valid." />
          )}
          {publish.error && <Failure error={publish.error} />}
          <button
            type="button"
            className="primary"
            disabled={!isChecked || errors.length > 0 || publish.isPending}
            onClick={() => publish.mutate()}
          >
            Sign and publish
          </button>
        </Card>
      </div>
    </Page>
  );
}

function useValidity(script: UpdateScript) {
  const text = JSON.stringify(script);
  const [settled, setSettled] = useState(text);
  useSettled(text, setSettled);
  const { data } = useQuery<Validity, ApiError>({
    queryKey: ['validity', settled],
    queryFn: () => send('POST', '/v1.0/update-scripts/validate', JSON.parse(settled)),
    gcTime: 0,
  });
  return { errors: data?.errors ?? [], isChecked: data !== undefined && settled === text };
}

interface EcuFieldsProps {
  readonly place: number;
  readonly ecu: EcuForm;
  readonly artifacts: readonly Artifact[];
  readonly at: (path: string) => string | undefined;
  readonly onChange: (change: Partial<EcuForm>) => void;
  readonly onRemove?: () => void;
}

function EcuFields({ place, ecu, artifacts, at, onChange, onRemove }: EcuFieldsProps) {
  const path = `/ecus/${place}`;
  return (
    <fieldset>
      <legend>ECU {place + 1}</legend>
      <div className="form-grid">
        <TextField
          label="ECU"
          value={ecu.ecu}
          onChange={(value) => onChange({ ecu: value })}
          placeholder="HU"
          error={at(`${path}/ecu`)}
        />
        <TextField
          label="New version"
          value={ecu.version}
          onChange={(value) => onChange({ version: value })}
          placeholder="1.4.0"
          error={at(`${path}/version`)}
        />
        <SelectField
          label="Artifact"
          value={ecu.artifact}
          onChange={(value) => onChange({ artifact: value })}
          error={at(`${path}/artifact`)}
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
          value={ecu.from}
          onChange={(value) => onChange({ from: value })}
          placeholder="1.2.*, 1.3.*"
          help="Empty: from any."
          error={at(`${path}/from`)}
        />
        <TextField
          label="After ECUs"
          value={ecu.after}
          onChange={(value) => onChange({ after: value })}
          error={at(`${path}/after`)}
        />
      </div>
      {onRemove && (
        <button type="button" onClick={onRemove}>
          Remove ECU {place + 1}
        </button>
      )}
    </fieldset>
  );
}
