/** Tokens of a server: make, replace, revoke; when each was last used and when it expires. */
import { useState } from 'react';
import { type TokenApi } from '../../contract/common-api/index.js';
import { useApi, useRefetch } from '../api/use-query.js';
import { useMay } from '../app/session.js';
import { CheckField } from '../ui/fields.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { NewToken } from './new-token.js';
import { hasEnded } from './token.js';
import { tokenColumns } from './token-columns.js';

const TOPIC = 'tokens';

/** @param roles of the server that programs can have */
export function TokensPage({ api, roles }: { api: TokenApi; roles: readonly string[] }) {
  const mayAdminister = useMay('administer');
  return (
    <Page title="Tokens">
      {mayAdminister ? (
        <Tokens api={api} roles={roles} />
      ) : (
        <Empty title="Only administrators see tokens." />
      )}
    </Page>
  );
}

function Tokens({ api, roles }: { api: TokenApi; roles: readonly string[] }) {
  const refetch = useRefetch();
  const [made, setMade] = useState<string>();
  const [showsEnded, setShowsEnded] = useState(false);
  const list = useApi(api.listTokens, {}, { topics: [TOPIC] });
  const changed = (secret?: string) => {
    setMade(secret);
    void refetch(TOPIC);
  };
  return (
    <>
      <Card title="New token">
        <NewToken api={api} roles={roles} onMade={changed} />
      </Card>
      {made !== undefined && (
        <Card title="Keep this token now">
          <p role="status">
            It is shown only once: <code className="wrap">{made}</code>
          </p>
          <button type="button" onClick={() => setMade(undefined)}>
            Done
          </button>
        </Card>
      )}
      <CheckField
        label="Show revoked and expired tokens"
        checked={showsEnded}
        onChange={setShowsEnded}
      />
      <Answered answer={list}>
        {({ items }) => (
          <Table
            label="Tokens"
            columns={tokenColumns(api, changed)}
            items={items.filter((token) => showsEnded || !hasEnded(token)).toReversed()}
            keyOf={({ id }) => id}
            empty={<Empty title="No tokens." />}
          />
        )}
      </Answered>
    </>
  );
}
