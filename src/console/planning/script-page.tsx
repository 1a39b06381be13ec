import { useLocation } from 'wouter';
import { type PublishedScript, updateScriptApi } from '../../contract/carota-api/index.js';
import { client } from '../api/client.js';
import { useApi, useRefetch } from '../api/use-query.js';
import { usePathPart } from '../app/address.js';
import { useIsLimited, useMay, useSession } from '../app/session.js';
import { bytes, duration } from '../format/numbers.js';
import { Confirm, withReason } from '../ui/confirm.js';
import { Answered } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

export function ScriptPage() {
  const refId = usePathPart(1);
  const request = { params: { 'script-ref-id': refId } };
  const answer = useApi(updateScriptApi.getScript, request, { topics: ['scripts'] });
  return (
    <Page title={refId}>
      <Answered answer={answer} lines={8}>
        {(stored) => <ScriptCards stored={stored} />}
      </Answered>
    </Page>
  );
}

/** Where schedules need an approval, scripts do too. */
function ApproveScript({ stored: { script, sha256 } }: { stored: PublishedScript }) {
  const refetch = useRefetch();
  const { approval } = useSession();
  const refId = script['script-ref-id'];
  const approve = async (reason: string) => {
    const request = {
      params: { 'script-ref-id': refId },
      body: withReason(reason, { digest: sha256 }),
    };
    await client.call(updateScriptApi.approveScript, request);
    await refetch('scripts');
  };
  return (
    <Confirm label="Approve" title={`Approve: ${refId}?`} isPrimary act={approve}>
      <ul>
        <li>Schedules with this script can then be approved.</li>
        <li>
          SHA-256 <code className="wrap">{sha256}</code>
        </li>
        {approval === 'second-person' && (
          <li>The author cannot approve it: a second person must.</li>
        )}
      </ul>
    </Confirm>
  );
}

function DeleteScript({ refId }: { refId: string }) {
  const [, navigate] = useLocation();
  const refetch = useRefetch();
  const remove = async () => {
    await client.call(updateScriptApi.deleteScript, { params: { 'script-ref-id': refId } });
    navigate('/scripts');
    await refetch('scripts');
  };
  return (
    <Confirm label="Delete" title={`Delete: ${refId}?`} isDangerous withReason={false} act={remove}>
      <ul>
        <li>Not possible while a schedule or the image repository uses the script.</li>
        <li>Its artifacts stay.</li>
      </ul>
    </Confirm>
  );
}

function ScriptCards({ stored }: { stored: PublishedScript }) {
  const { script, createdAt, approvedAt } = stored;
  const mayPlan = useMay('plan');
  const isLimited = useIsLimited();
  const { approval = 'none' } = useSession();
  const { consent, preconditions, window } = script;
  return (
    <div className="cards">
      <Card title="Update">
        <dl className="facts">
          <dt>Model</dt>
          <dd>{script.model}</dd>
          <dt>Published</dt>
          <dd>
            <Time at={createdAt} />
          </dd>
          {(approval !== 'none' || approvedAt !== null) && (
            <>
              <dt>Approved</dt>
              <dd>{approvedAt === null ? 'not yet' : <Time at={approvedAt} />}</dd>
            </>
          )}
          <dt>Consent</dt>
          <dd>{consent ? consent.text : 'not asked'}</dd>
          <dt>Preconditions</dt>
          <dd>
            {preconditions
              ? [
                  ...(preconditions.battery === undefined
                    ? []
                    : [`battery at ${preconditions.battery} %`]),
                  ...(preconditions.gear === undefined ? [] : ['in park']),
                  ...(preconditions.ignition === undefined
                    ? []
                    : [`ignition ${preconditions.ignition}`]),
                  ...(preconditions.timeout === undefined
                    ? []
                    : [`waits ${duration(preconditions.timeout)}`]),
                ].join(', ')
              : 'none'}
          </dd>
          <dt>Window</dt>
          <dd>{window ? `${window.from} to ${window.to}, the vehicle’s time` : 'at any time'}</dd>
          <dt>Rollback</dt>
          <dd>{script.rollback === false ? 'no' : 'yes'}</dd>
          <dt>Downgrade</dt>
          <dd>{script.downgrade === true ? 'allowed' : 'refused'}</dd>
        </dl>
        {mayPlan && approval !== 'none' && approvedAt === null && <ApproveScript stored={stored} />}
        {mayPlan && !isLimited && <DeleteScript refId={script['script-ref-id']} />}
      </Card>
      <Card title="ECUs" wide>
        <Table
          label="ECUs"
          columns={[
            { title: 'ECU', cell: ({ ecu }) => ecu },
            { title: 'Version', cell: ({ version }) => version },
            { title: 'From', cell: ({ from }) => from?.join(', ') ?? 'any' },
            { title: 'After', cell: ({ after }) => after?.join(', ') ?? '–' },
            { title: 'Size', isNumber: true, cell: ({ artifact }) => bytes(artifact.size) },
            {
              title: 'SHA-256',
              isMinor: true,
              cell: ({ artifact }) => <code className="wrap">{artifact.sha256}</code>,
            },
          ]}
          items={script.ecus}
          keyOf={({ ecu }) => ecu}
          empty={null}
        />
      </Card>
      <Card title="Text" wide>
        <pre tabIndex={0}>{JSON.stringify(script, null, 2)}</pre>
      </Card>
    </div>
  );
}
