import { useState } from 'react';
import { artifactApi, type StoredArtifact } from '../../contract/carota-api/index.js';
import { useRefetch } from '../api/use-query.js';
import { useMay } from '../app/session.js';
import { bytes } from '../format/numbers.js';
import { DropZone } from '../ui/drop-zone.js';
import { Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { EMPTY_TARGET, TargetFields, targetOf } from './target-fields.js';

const COLUMNS: readonly Column<StoredArtifact>[] = [
  {
    title: 'Name',
    cell: ({ name, url }) => (
      <a href={url} download={name}>
        {name}
      </a>
    ),
  },
  { title: 'Size', isNumber: true, cell: ({ size }) => bytes(size) },
  { title: 'SHA-256', cell: ({ sha256 }) => <code className="wrap">{sha256}</code> },
  { title: 'MD5', isMinor: true, cell: ({ md5 }) => <code className="wrap">{md5}</code> },
  { title: 'Uploaded', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function ArtifactsPage() {
  const mayPlan = useMay('plan');
  return (
    <Page title="Artifacts">
      {mayPlan && (
        <Card title="Upload">
          <UploadArtifact />
        </Card>
      )}
      <PagedTable
        label="Artifacts"
        route={artifactApi.listArtifacts}
        request={{}}
        topics={['artifacts']}
        columns={COLUMNS}
        keyOf={({ sha256 }) => sha256}
        empty={
          <Empty title="No artifacts yet.">
            <p>An artifact is a file that a vehicle’s ECU installs.</p>
          </Empty>
        }
      />
    </Page>
  );
}

function UploadArtifact() {
  const refetch = useRefetch();
  const [made, setMade] = useState<StoredArtifact>();
  const [target, setTarget] = useState(EMPTY_TARGET);
  return (
    <>
      <TargetFields ecus="the ECUs that it is for" form={target} onChange={setTarget} />
      <DropZone
        label="Drop a file here, or choose one"
        help="Of any size. The same bytes are stored once."
        route={artifactApi.uploadArtifact}
        request={({ name }) => ({ query: { name, ...targetOf(target) } })}
        contentType={() => 'application/octet-stream'}
        onDone={(answer) => {
          setMade(answer);
          void refetch('artifacts');
        }}
      />
      {made && (
        <p role="status">
          <b>{made.name}</b> is stored: {bytes(made.size)}, SHA-256{' '}
          <code className="wrap">{made.sha256}</code>
          {made.target && `; ${made.target.state} as ${made.target.path}`}
        </p>
      )}
    </>
  );
}
