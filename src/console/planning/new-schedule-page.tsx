import { Tabs } from '@base-ui/react/tabs';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import {
  scheduleApi,
  type SchedulePlan,
  type SchedulePreview,
} from '../../contract/carota-api/index.js';
import { type FieldError } from '../../contract/values/validate.js';
import { ApiError, client, type Failed } from '../api/client.js';
import { scheduleAt } from '../app/address.js';
import { useSession } from '../app/session.js';
import { ZONE } from '../format/times.js';
import { Failure } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { useDebounced } from '../ui/use-debounced.js';
import { faultsAt, Faults } from './plan-faults.js';
import { emptyPlan, type PlanForm, planOf, stepOf } from './plan-form.js';
import { Preview } from './preview.js';
import { GuardStep } from './steps/guard-step.js';
import { type StepProps } from './steps/step.js';
import { VehiclesStep } from './steps/vehicles-step.js';
import { WavesStep } from './steps/waves-step.js';
import { WhatStep } from './steps/what-step.js';

const STEPS = [
  { title: 'What', step: WhatStep },
  { title: 'Vehicles', step: VehiclesStep },
  { title: 'Waves and windows', step: WavesStep },
  { title: 'Guard and sending', step: GuardStep },
] as const;
const LAST = STEPS.length;

const NEXT: Readonly<Record<string, string>> = {
  none: 'It starts automatically when due.',
  anyone: 'It starts once approved.',
  'second-person': 'It starts once a second person has approved it.',
};

/** Plans a schedule step by step. Errors are shown at their steps, and a preview before the schedule is created. */
export function NewSchedulePage() {
  const { approval = 'none' } = useSession();
  const [form, setForm] = useState(() => emptyPlan(ZONE));
  const [step, setStep] = useState(0);
  const [, navigate] = useLocation();
  const plan = planOf(form);
  const { preview, errors, failure, isChecked } = usePreview(JSON.stringify(plan));
  const create = useMutation<unknown, Failed>({
    mutationFn: () => client.call(scheduleApi.createSchedule, { body: plan }),
    onSuccess: () => navigate(scheduleAt(plan['ref-id'])),
  });
  const props: StepProps = {
    form,
    set: (changes: Partial<PlanForm>) => setForm((before) => ({ ...before, ...changes })),
    at: faultsAt(errors, true),
    preview,
  };
  const hasErrors = (place: number) => errors.some(({ path }) => stepOf(path) === place);
  return (
    <Page title="Plan a schedule">
      <Tabs.Root className="steps" value={step} onValueChange={(value: number) => setStep(value)}>
        <Tabs.List className="step-list" aria-label="Steps">
          {STEPS.map(({ title }, place) => (
            <Tabs.Tab key={title} value={place}>
              {place + 1}. {title}
              {hasErrors(place) && place < step && <span className="tag bad">needs fixing</span>}
            </Tabs.Tab>
          ))}
          <Tabs.Tab value={LAST}>{LAST + 1}. Preview</Tabs.Tab>
        </Tabs.List>
        {STEPS.map(({ title, step: Step }, place) => (
          <Tabs.Panel key={title} value={place} className="card wide">
            <h2>{title}</h2>
            <Step {...props} />
          </Tabs.Panel>
        ))}
        <Tabs.Panel value={LAST} className="card wide">
          <h2>Vehicles and times</h2>
          {preview && <Preview preview={preview} plan={plan} />}
          <Faults errors={errors} isChecked={isChecked} good="The plan is valid." />
          {failure && <Failure error={failure} />}
          {create.error && <Failure error={create.error} />}
          <p className="muted">{NEXT[approval]}</p>
        </Tabs.Panel>
      </Tabs.Root>
      <div className="dialog-actions">
        <button type="button" disabled={step === 0} onClick={() => setStep(step - 1)}>
          Back
        </button>
        {step < LAST ? (
          <button type="button" className="primary" onClick={() => setStep(step + 1)}>
            Next
          </button>
        ) : (
          <button
            type="button"
            className="primary"
            disabled={!isChecked || !preview || create.isPending}
            onClick={() => create.mutate()}
          >
            {approval === 'none' ? 'Create schedule' : 'Propose schedule'}
          </button>
        )}
      </div>
    </Page>
  );
}

interface Checked {
  readonly preview?: SchedulePreview;
  readonly errors: readonly FieldError[];
}

const NO_FAULTS: readonly FieldError[] = [];

/** The server's preview of the plan, requested after a pause in typing. */
function usePreview(text: string) {
  const [debounced, setDebounced] = useState(text);
  const [empty] = useState(text);
  useDebounced(text, setDebounced);
  const { data, error } = useQuery<Checked, Failed>({
    queryKey: ['preview', debounced],
    queryFn: async ({ signal }) => {
      try {
        const body = JSON.parse(debounced) as SchedulePlan;
        const preview = await client.call(scheduleApi.previewSchedule, { body }, signal);
        return { preview, errors: NO_FAULTS };
      } catch (failure) {
        if (failure instanceof ApiError && failure.errors.length > 0) {
          return { errors: failure.errors };
        }
        throw failure;
      }
    },
    gcTime: 0,
    // An untouched form would only yield missing fields.
    enabled: debounced !== empty,
  });
  return {
    preview: data?.preview,
    errors: data?.errors ?? NO_FAULTS,
    failure: error,
    isChecked: data !== undefined && debounced === text,
  };
}
