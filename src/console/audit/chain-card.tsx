import { useState } from 'react';
import { auditApi, type AuditVerdict } from '../../contract/common-api/index.js';
import { client } from '../api/client.js';
import { useApi } from '../api/use-query.js';
import { count } from '../format/numbers.js';
import { Card, Figures } from '../ui/page.js';
import { Time } from '../ui/time.js';

/** Whether the chain is intact, and when it was last sealed. */
export function ChainCard() {
  const { data } = useApi(auditApi.getAuditStatus, {}, { topics: ['audit'] });
  const [verdict, setVerdict] = useState<AuditVerdict | string>();
  if (!data) return null;
  const { position, pending, seal, weaknesses, key } = data;
  const verify = () =>
    client.call(auditApi.verifyAudit, {}).then(setVerdict, (error: unknown) => {
      setVerdict((error as Error).message);
    });
  return (
    <Card title="Hash chain" wide>
      <Figures
        items={[
          {
            label: 'Entries',
            value: count(position),
            note: pending > 0 && `${count(pending)} pending`,
          },
          {
            label: 'Last seal',
            value: seal ? <Time at={new Date(seal.time).toISOString()} /> : 'none yet',
            note: seal && `entries up to ${count(seal.to)}`,
          },
          { label: 'Seal key', value: <code className="wrap">{key.keyid.slice(0, 16)}…</code> },
        ]}
      />
      {weaknesses.length > 0 && (
        <p className="fault">
          The database role of this server could change entries: {weaknesses.join(', ')}.
        </p>
      )}
      <p>
        <button type="button" onClick={() => void verify()}>
          Verify now
        </button>{' '}
        <a href="/v1.0/audit/export" download>
          Export
        </a>
      </p>
      <p role="status">{verdict !== undefined && verdictText(verdict)}</p>
    </Card>
  );
}

function verdictText(verdict: AuditVerdict | string): string {
  if (typeof verdict === 'string') return verdict;
  const { intact, entries, sealedTo, faults } = verdict;
  if (!intact) return `Broken: ${faults.join('; ')}`;
  return `Intact: ${count(entries)} entries, sealed up to entry ${count(sealedTo)}`;
}
