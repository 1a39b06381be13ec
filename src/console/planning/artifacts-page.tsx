import { useState } from 'react';
import { artifactApi, type StoredArtifact } from '../../contract/carota-api/index.js';
import { client } from '../api/client.js';
import { useApi, useRefetch } from '../api/use-query.js';
import { useMay } from '../app/session.js';
import { bytes, count } from '../format/numbers.js';
import { Confirm } from '../ui/confirm.js';
import { DropZone } from '../ui/drop-zone.js';
import { Answered, Empty } from '../ui/notes.js';
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

const PLANNER_COLUMNS: readonly Column<StoredArtifact>[] = [
  ...COLUMNS,
  { title: '', cell: (artifact) => <DeleteArtifact artifact={artifact} /> },
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
      <RoomNote />
      <PagedTable
        label="Artifacts"
        route={artifactApi.listArtifacts}
        request={{}}
        topics={['artifacts']}
        columns={mayPlan ? PLANNER_COLUMNS : COLUMNS}
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

function RoomNote() {
  const answer = useApi(artifactApi.getStorage, {}, { topics: ['artifacts'] });
  return (
    <Answered answer={answer} lines={1}>
      {({ artifacts }) => (
        <p>
          {count(artifacts.number)} of {count(artifacts.maxNumber)} artifacts,{' '}
          {bytes(artifacts.bytes)} of {bytes(artifacts.maxBytes)}.
        </p>
      )}
    </Answered>
  );
}

function DeleteArtifact({ artifact: { sha256, name, size } }: { artifact: StoredArtifact }) {
  const refetch = useRefetch();
  const remove = async () => {
    await client.call(artifactApi.deleteArtifact, { params: { sha256 } });
    await refetch('artifacts');
  };
  return (
    <Confirm
      label="Delete"
      title={`Delete: ${name || sha256}?`}
      isSmall
      withReason={false}
      act={remove}
    >
      <ul>
        <li>{bytes(size)} become free.</li>
        <li>Not possible while an update script or the image repository uses the artifact.</li>
      </ul>
    </Confirm>
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
