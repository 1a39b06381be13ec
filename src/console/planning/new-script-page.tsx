import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import {
  artifactApi,
  type PublishedScript,
  type ScriptVerdict,
  type StoredArtifact,
  updateScriptApi,
} from '../../contract/carota-api/index.js';
import { MAX_PAGE } from '../../contract/http/page-size.js';
import { type UpdateScript } from '../../contract/update-script/index.js';
import { client, type Failed } from '../api/client.js';
import { useApi } from '../api/use-query.js';
import { scriptAt } from '../app/address.js';
import { TextField } from '../ui/fields.js';
import { Failure } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { Rows } from '../ui/rows.js';
import { useDebounced } from '../ui/use-debounced.js';
import { faultsAt, Faults } from './plan-faults.js';
import { bind } from '../ui/bind.js';
import { EcuFields } from './ecu-fields.js';
import { type ChangeScript, HowFields } from './how-fields.js';
import { EMPTY_ECU, EMPTY_SCRIPT, scriptOf } from './script-form.js';
import { EMPTY_TARGET, TargetFields, targetOf } from './target-fields.js';

const NONE: readonly StoredArtifact[] = [];

/** Form of a new update script: the server validates it while typing, then publishes it. */
export function NewScriptPage() {
  const [form, setForm] = useState(EMPTY_SCRIPT);
  const [target, setTarget] = useState(EMPTY_TARGET);
  const [, navigate] = useLocation();
  const artifacts =
    useApi(artifactApi.listArtifacts, { query: { limit: MAX_PAGE } }, { topics: ['artifacts'] })
      .data?.items ?? NONE;
  const script = scriptOf(form, artifacts);
  const { errors, isChecked } = useValidity(script);
  const publish = useMutation<PublishedScript, Failed>({
    mutationFn: () =>
      client.call(updateScriptApi.publishScript, { query: targetOf(target), body: script }),
    onSuccess: ({ script: made }) => navigate(scriptAt(made['script-ref-id'])),
  });
  const change: ChangeScript = (changes) => setForm((before) => ({ ...before, ...changes }));
  const at = faultsAt(errors, form.refId !== '');
  const bound = bind(form, change, at);

  return (
    <Page title="New update script">
      <div className="cards">
        <Card title="What" wide>
          <div className="form-grid">
            <TextField label="Name (script-ref-id)" {...bound('refId', '/script-ref-id')} />
            <TextField label="Model" {...bound('model', '/model')} />
          </div>
          <Rows
            noun="ECU"
            rows={form.ecus}
            onChange={(ecus) => change({ ecus })}
            fresh={EMPTY_ECU}
            addLabel="Add an ECU"
            min={1}
          >
            {(ecu, changeEcu, place) => (
              <EcuFields
                place={place}
                ecu={ecu}
                artifacts={artifacts}
                at={at}
                onChange={changeEcu}
              />
            )}
          </Rows>
          {artifacts.length === 0 && (
            <p className="note">
              No artifacts yet: <Link href="/artifacts">upload one</Link> first.
            </p>
          )}
        </Card>
        <Card title="How">
          <HowFields form={form} change={change} at={at} />
        </Card>
        <Card title="As it will be published">
          <pre tabIndex={0}>{JSON.stringify(script, null, 2)}</pre>
          {form.refId !== '' && (
            <Faults errors={errors} isChecked={isChecked} good="The script is valid." />
          )}
          <TargetFields ecus="the vehicles’ Primaries" form={target} onChange={setTarget} />
          {publish.error && <Failure error={publish.error} />}
          <button
            type="button"
            className="primary"
            disabled={!isChecked || errors.length > 0 || publish.isPending}
            onClick={() => publish.mutate()}
          >
            Publish
          </button>
        </Card>
      </div>
    </Page>
  );
}

function useValidity(script: UpdateScript) {
  const text = JSON.stringify(script);
  const [debounced, setDebounced] = useState(text);
  useDebounced(text, setDebounced);
  const { data } = useQuery<ScriptVerdict, Failed>({
    queryKey: ['validity', debounced],
    queryFn: () =>
      client.call(updateScriptApi.validateScript, { body: JSON.parse(debounced) as unknown }),
    gcTime: 0,
  });
  return { errors: data?.errors ?? [], isChecked: data !== undefined && debounced === text };
}
