import { type Ecu, type VehicleEcus } from '../../contract/carota-api/index.js';
import { Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { KeyIds } from './key-ids.js';

const STANDINGS = {
  'as-ordered': { text: 'as ordered', means: 'good' },
  pending: { text: 'pending', means: 'busy' },
  differs: { text: 'differs from the last order', means: 'warn' },
  unknown: { text: 'unknown', means: 'calm' },
} as const satisfies Record<Ecu['standing'], { text: string; means: string }>;

const COLUMNS: readonly Column<Ecu>[] = [
  {
    title: 'ECU',
    cell: ({ name, serial, isPrimary }) => (
      <>
        {name} <span className="tag">{isPrimary ? 'Primary' : 'Secondary'}</span>
        <small>{serial}</small>
      </>
    ),
  },
  { title: 'Hardware', cell: ({ hardwareId }) => hardwareId },
  {
    title: 'Key',
    cell: ({ keyId, publicKey }) => (
      <>
        <KeyIds ids={[keyId]} />
        <small>{publicKey.keytype}</small>
      </>
    ),
  },
  { title: 'Installed', cell: ({ installed }) => <Image image={installed} none="not reported" /> },
  { title: 'Ordered', cell: ({ ordered }) => <Image image={ordered} none="nothing" /> },
  {
    title: 'Status',
    cell: ({ standing }) => (
      <span className={`status status-${STANDINGS[standing].means}`}>
        {STANDINGS[standing].text}
      </span>
    ),
  },
  {
    title: 'Last report',
    isMinor: true,
    cell: ({ reportedAt }) => <Time at={reportedAt} />,
  },
];

function Image({ image, none }: { image: Ecu['installed']; none: string }) {
  if (!image) return <span className="muted">{none}</span>;
  const { path, releaseCounter, hashes } = image;
  const [algorithm = '', digest = ''] = Object.entries(hashes)[0] ?? [];
  return (
    <>
      <span className="wrap image">{path}</span>
      <small title={`${algorithm} ${digest}`}>
        release counter {releaseCounter}, {algorithm} {digest.slice(0, 12)}
      </small>
    </>
  );
}

/** What each ECU is, has and is to have. */
export function EcusCard({ vehicle: { ecus } }: { vehicle: VehicleEcus }) {
  return (
    <Card title="ECUs" wide>
      <Table
        label="ECUs"
        columns={COLUMNS}
        items={ecus}
        keyOf={({ serial }) => serial}
        empty={
          <Empty title="No ECUs registered.">
            <p>Until they are registered, the Director orders nothing for this vehicle.</p>
          </Empty>
        }
      />
    </Card>
  );
}
