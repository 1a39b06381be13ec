import { type PublishedScript, updateScriptApi } from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { usePathPart } from '../app/address.js';
import { bytes, duration } from '../format/numbers.js';
import { Answered } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

export function ScriptPage() {
  const refId = usePathPart(1);
  const answer = useApi(updateScriptApi.getScript, { params: { 'script-ref-id': refId } });
  return (
    <Page title={refId}>
      <Answered answer={answer} lines={8}>
        {(stored) => <ScriptCards stored={stored} />}
      </Answered>
    </Page>
  );
}

function ScriptCards({ stored: { script, createdAt } }: { stored: PublishedScript }) {
  const { consent, preconditions, window } = script;
  return (
    <div className="cards">
      <Card title="What it does">
        <dl className="facts">
          <dt>Model</dt>
          <dd>{script.model}</dd>
          <dt>Published</dt>
          <dd>
            <Time at={createdAt} />
          </dd>
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
