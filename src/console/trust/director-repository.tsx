import { type DirectorRepositoryStatus } from '../../contract/carota-api/index.js';
import { duration } from '../format/numbers.js';
import { Card } from '../ui/page.js';
import { type Column, Table } from '../ui/table.js';
import { Attention } from './attention.js';
import { DIRECTOR_CEREMONY } from './ceremony.js';
import { CeremonyCard } from './ceremony-card.js';
import { KeyIds } from './key-ids.js';
import { KeysTable } from './keys-table.js';
import { ProposalCard } from './proposal-card.js';
import { RolesTable } from './roles-table.js';

type OnlineRole = DirectorRepositoryStatus['online'][number];

const ONLINE: readonly Column<OnlineRole>[] = [
  { title: 'Role', cell: ({ role }) => role },
  { title: 'Valid for', cell: ({ lifetimeSeconds }) => duration(lifetimeSeconds) },
  { title: 'Threshold', cell: ({ threshold, keys }) => `${threshold} of ${keys.length}` },
  { title: 'Keys', cell: ({ keys }) => <KeyIds ids={keys} /> },
];

/** What each vehicle is to install: signed on demand, for one vehicle. */
export function DirectorRepository({ status }: { status: DirectorRepositoryStatus }) {
  const { isTrial, onlineKeys, root, online, keys, attention, ceremony } = status;
  return (
    <>
      <Card title="Director repository" note="the images that each vehicle must install" wide>
        {isTrial && (
          <p className="note">
            <b>Trial keys.</b> This server generated all keys itself, including the root key. Anyone
            who controls the server can order any image of the image repository for any vehicle, and
            replace all keys. For production, create the root elsewhere (<code>--director-dir</code>
            ).
          </p>
        )}
        <Attention items={attention} />
        <RolesTable label="Root of the Director repository" roles={[root]} />
        <Table
          label="Roles that are signed for each vehicle"
          columns={ONLINE}
          items={online}
          keyOf={({ role }) => role}
          empty={null}
        />
        <p className="muted">
          Signed for one vehicle on request,{' '}
          {onlineKeys === 'signer' ? 'by the signer process' : 'with keys on this server'}; versions
          and expiries are on the vehicle’s page. The time is signed by a separate key.
        </p>
        <KeysTable label="Keys of the Director repository" keys={keys} />
      </Card>
      {ceremony && (
        <>
          <ProposalCard
            title="Proposal for the Director"
            label="Proposed root of the Director"
            status={ceremony}
          />
          <CeremonyCard
            title="Ceremony of the Director’s root"
            status={{ ...ceremony, isEstablished: true }}
            words={DIRECTOR_CEREMONY}
          />
        </>
      )}
    </>
  );
}
