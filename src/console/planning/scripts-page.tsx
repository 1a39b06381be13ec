import { Link } from 'wouter';
import { type PublishedScript, updateScriptApi } from '../../contract/carota-api/index.js';
import { scriptAt } from '../app/address.js';
import { useIsLimited, useMay } from '../app/session.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';

const COLUMNS: readonly Column<PublishedScript>[] = [
  {
    title: 'Script',
    cell: ({ script: { 'script-ref-id': refId } }) => <Link href={scriptAt(refId)}>{refId}</Link>,
  },
  { title: 'Model', cell: ({ script }) => script.model },
  {
    title: 'Updates',
    cell: ({ script }) => script.ecus.map(({ ecu, version }) => `${ecu} ${version}`).join(', '),
  },
  {
    title: 'Consent',
    isMinor: true,
    cell: ({ script }) => (script.consent ? 'asked' : 'not asked'),
  },
  { title: 'Published', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function ScriptsPage() {
  const isLimited = useIsLimited();
  const mayPublish = useMay('plan') && !isLimited;
  return (
    <Page
      title="Update scripts"
      actions={
        mayPublish && (
          <Link className="button primary" href="/scripts/new">
            Write an update script
          </Link>
        )
      }
    >
      <PagedTable
        label="Update scripts"
        route={updateScriptApi.listScripts}
        request={{}}
        topics={['scripts']}
        columns={COLUMNS}
        keyOf={({ script }) => script['script-ref-id']}
        empty={
          <Empty title="No update scripts yet.">
            <p>
              A script defines what a vehicle installs, and how. It needs an{' '}
              <Link href="/artifacts">artifact</Link> first.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}
