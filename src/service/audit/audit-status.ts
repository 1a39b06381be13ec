/** The state of the chain, as answered over HTTP. */
import { type AuditStatus } from '../../contract/index.js';
import { only, type Queryable } from '../database/index.js';
import { keyIdOfListed, type ListedKey, type Signer } from '../../uptane/signing/index.js';
import { auditWeaknesses } from './protect-audit.js';
import { lastSeal, listKeys, sealOf } from './seal-rows.js';
import { chainHead } from './sequencer.js';

export async function auditStatus(database: Queryable, signer: Signer): Promise<AuditStatus> {
  const head = await chainHead(database);
  const seal = await lastSeal(database);
  const { pending } = only(
    await database.query<{ pending: number }>('select count(*) as pending from audit.pending'),
  );
  const copies = await database.query<{ name: string; position: number }>(
    'select name, position from audit.copies order by name',
  );
  return {
    ...head,
    pending,
    seal: seal ? sealOf(seal) : null,
    key: keyBody(signer.key),
    keys: (await listKeys(database)).map(keyBody),
    weaknesses: await auditWeaknesses(database),
    copies: copies.map((copy) => ({
      ...copy,
      behind: Math.max(0, head.position - copy.position),
    })),
  };
}

const keyBody = (key: ListedKey) => ({
  keyid: keyIdOfListed(key),
  keytype: key.keytype,
  scheme: key.scheme,
  public: key.keyval.public,
});
