import { type ImageRepositoryStatus } from '../../contract/carota-api/index.js';
import { Card } from '../ui/page.js';
import { Attention } from './attention.js';
import { imageCeremony } from './ceremony.js';
import { CeremonyCard } from './ceremony-card.js';
import { KeysTable } from './keys-table.js';
import { ProposalCard } from './proposal-card.js';
import { RolesTable } from './roles-table.js';

const ONLINE: Readonly<Record<ImageRepositoryStatus['onlineKeys'], string>> = {
  server: 'Snapshot and timestamp are signed by this server.',
  signer: 'Snapshot and timestamp are signed by the signer process.',
  elsewhere:
    'People must sign snapshot and timestamp before they expire: this server has no signer process.',
};

/** The available software. `undefined`: no repository has been established yet. */
export function ImageRepository({ status }: { status: ImageRepositoryStatus | undefined }) {
  if (status === undefined) {
    return (
      <>
        <Card title="Image repository" wide>
          <p className="note">
            There is no repository in the server’s folder yet. Vehicles cannot be updated before the
            first ceremony.
          </p>
        </Card>
        <CeremonyCard
          title="Ceremony"
          status={{ proposed: [], faults: [], isEstablished: false }}
          words={imageCeremony('elsewhere')}
        />
      </>
    );
  }
  const { isTrial, onlineKeys, published, attention, keys } = status;
  return (
    <>
      <Card title="Image repository" note="which software exists" wide>
        {isTrial && (
          <p className="note">
            <b>Trial keys.</b> This server generated all keys itself and publishes uploads
            immediately. Anyone who controls the server can publish anything. For production, start
            it with <code>--image-repository-dir</code> and keep root and targets keys offline.
          </p>
        )}
        <Attention items={attention} />
        <RolesTable label="Roles of the image repository" roles={published} />
        <p className="muted">{ONLINE[onlineKeys]}</p>
        <KeysTable label="Keys of the image repository" keys={keys} />
      </Card>
      {(!isTrial || status.proposed.length > 0) && (
        <ProposalCard title="Proposal" label="Proposed roles" status={status} />
      )}
      {!isTrial && (
        <CeremonyCard
          title="Ceremony"
          status={{ ...status, isEstablished: published.length > 0 }}
          words={imageCeremony(onlineKeys)}
        />
      )}
    </>
  );
}
