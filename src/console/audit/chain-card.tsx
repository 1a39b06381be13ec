import { useState } from 'react';
import { auditApi, type AuditStatus, type AuditVerdict } from '../../contract/common-api/index.js';
import { client } from '../api/client.js';
import { useApi } from '../api/use-query.js';
import { count } from '../format/numbers.js';
import { Answered } from '../ui/notes.js';
import { Card, Figures } from '../ui/page.js';
import { Time } from '../ui/time.js';

/** Whether the chain is intact, and when it was last sealed. */
export function ChainCard() {
  const status = useApi(auditApi.getAuditStatus, {}, { topics: ['audit'] });
  const [verdict, setVerdict] = useState<AuditVerdict | string>();
  const verify = () =>
    client.call(auditApi.verifyAudit, {}).then(setVerdict, (error: unknown) => {
      setVerdict((error as Error).message);
    });
  return (
    <Card title="Hash chain" wide>
      <Answered answer={status} lines={4}>
        {(answer) => <Figures items={figuresOf(answer)} />}
      </Answered>
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

const figuresOf = ({ position, pending, seal, weaknesses, key }: AuditStatus) => [
  {
    label: 'Entries',
    value: count(position),
    note: pending > 0 ? `${count(pending)} pending` : 'all chained',
  },
  {
    label: 'Last seal',
    value: seal ? <Time at={new Date(seal.time).toISOString()} /> : 'none yet',
    note: seal ? `entries up to ${count(seal.to)}` : 'due once there are entries',
  },
  { label: 'Seal key', value: <code>{key.keyid.slice(0, 12)}…</code>, note: 'otaops audit key' },
  {
    label: 'Changes by the server',
    value: weaknesses.length === 0 ? 'prevented' : 'possible',
    note: weaknesses.length === 0 ? 'by its database role' : weaknesses.join(', '),
  },
];

function verdictText(verdict: AuditVerdict | string): string {
  if (typeof verdict === 'string') return verdict;
  const { intact, entries, sealedTo, faults } = verdict;
  if (!intact) return `Broken: ${faults.join('; ')}`;
  return `Intact: ${count(entries)} entries, sealed up to entry ${count(sealedTo)}`;
}
