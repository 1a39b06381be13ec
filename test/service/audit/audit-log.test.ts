/** The audit log in the database: chained, sealed, append-only; and changes that even a superuser cannot hide. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditExportLine, checkOf } from '../../../src/contract/index.js';
import {
  AuditSequencer,
  auditStatus,
  auditWeaknesses,
  exportLog,
  listEntries,
  protectAudit,
  recordActions,
  verifyLog,
} from '../../../src/service/audit/index.js';
import { openSealKey, type Signer } from '../../../src/service/chain/index.js';
import { auditEntryBody } from '../../../src/service/http/index.js';
import {
  type Database,
  openPostgres,
  type Parameter,
  type Queryable,
} from '../../../src/service/database/index.js';
import { openTestDatabase } from '../../support/databases.js';

const DAY = 24 * 60 * 60 * 1000;
const BY = { id: 'token-1', name: 'Ada', reason: 'ticket "4711"\n\\ 😀' };

let folder: string;
let database: Database;
let url: string;
let close: () => Promise<void>;
let signer: Signer;
let now: number;
let sequencer: AuditSequencer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otaops-audit-'));
  ({ database, url, close } = await openTestDatabase());
  signer = await openSealKey(folder, undefined);
  now = Date.UTC(2026, 0, 1, 12);
  sequencer = sequencerWith(signer);
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true });
});

const sequencerWith = (key: Signer, of = database) =>
  new AuditSequencer({
    database: of,
    clock: () => now,
    signer: key,
    onFailure: (error) => {
      throw error;
    },
  });

const record = (count: number, detail: object = { rate: 0.5, big: 2 ** 60 }) =>
  recordActions(
    database,
    'pause',
    Array.from({ length: count }, () => ({ vin: null, by: BY, detail })),
    now,
  );

async function exported(of: Database = database): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportLog(of, 'adapter')) lines.push(line.trimEnd());
  return lines;
}

const verdict = async (keys = [signer.key]) => verifyLog(await exported(), keys);

/** Runs statements as a superuser, without triggers. */
const asSuperuser = (...statements: string[]) =>
  database.script(
    [
      'set session_replication_role = replica',
      ...statements,
      'reset session_replication_role',
    ].join(';'),
  );

/** Three days with three entries each, sealed at the end of the first and the second. */
async function threeDays(): Promise<void> {
  for (let day = 0; day < 3; day += 1) {
    await record(3);
    await sequencer.run();
    now += DAY;
  }
}

describe('The chain of the audit log', () => {
  it('has every committed entry once, in a verified order', async () => {
    await record(1_203);
    await sequencer.run();
    expect(await verdict()).toMatchObject({
      intact: true,
      entries: 1_203,
      seals: 1,
      sealedTo: 1_203,
    });
    expect(await auditStatus(database, signer)).toMatchObject({ position: 1_203, pending: 0 });
  });

  it('is exported in lines that fit the schema, each entry as the list has it', async () => {
    const detail = { at: new Date(now).toISOString(), none: null };
    const entry = { by: BY, vin: '5YJSA1E40FF345678', detail, refId: 'schedule 0909' };
    await recordActions(database, 'pause', [entry], now);
    await sequencer.run();
    const lines = (await exported()).map((line) => JSON.parse(line));
    const check = checkOf(AuditExportLine);
    expect(lines.flatMap((line) => check.errors(line))).toEqual([]);
    const listed = await listEntries(database, {}, { before: Number.MAX_SAFE_INTEGER, limit: 9 });
    expect(lines.filter(({ action }) => action)).toEqual(listed.map(auditEntryBody));
    expect(lines).toContainEqual(
      expect.objectContaining({ at: '2026-01-01T12:00:00.000Z', 'ref-id': 'schedule 0909' }),
    );
  });

  it('does not wait for an open transaction, and includes its entries later', async () => {
    const other = new pg.Client(url);
    await other.connect();
    await other.query('begin');
    await other.query(
      `insert into audit.entries (at, token_id, token_name, address, action, outcome, subject, reason, detail)
       values (now(), '', 'late', '', 'cancel', 'done', '', '', '{}')`,
    );
    await record(1);
    await sequencer.run();
    expect((await verdict()).entries).toBe(1);
    await other.query('commit');
    await other.end();
    await sequencer.run();
    expect(await verdict()).toMatchObject({ intact: true, entries: 2 });
  });

  it('is a single chain, however many servers write and chain at once', async () => {
    const second = openPostgres({ url });
    const others = [
      sequencer,
      sequencerWith(await openSealKey(join(folder, 'b'), undefined), second),
    ];
    const writers = Array.from({ length: 40 }, async (_, at) => {
      await record(5);
      await others[at % 2]?.run();
    });
    await Promise.all(writers);
    await sequencer.run();
    await second.close();
    const { faults, entries } = await verifyLog(await exported());
    expect(faults).toEqual([]);
    expect(entries).toBe(200);
  });

  it('is sealed once a day, even if nothing happened or the clock jumps', async () => {
    await record(2);
    for (const [hours, seals] of [
      [0, 1],
      [1, 1],
      [24, 2],
      [25, 2],
      [24 * 365, 3],
      [26, 4],
      [48, 5],
    ] as const) {
      now = Date.UTC(2026, 0, 1, 12) + hours * 60 * 60 * 1000;
      await sequencer.run();
      expect(await verdict(), `after ${hours} h`).toMatchObject({ intact: true, seals });
    }
  });

  it('verifies only with the right key', async () => {
    await threeDays();
    const other = await openSealKey(join(folder, 'other'), undefined);
    expect(await verdict([other.key])).toMatchObject({ intact: false, seals: 0 });
    expect((await verdict([other.key])).faults[0]).toMatch(/is signed with the key .* not trusted/);
  });
});

describe('A superuser of the database is detected', () => {
  it.each([
    [
      'changes an entry',
      `update audit.entries set token_name = 'Eve' where id = 4`,
      /^entry 4 .*hash/,
    ],
    ['changes a detail', `update audit.entries set detail = '{}' where id = 2`, /^entry 2 .*hash/],
    [
      'back-dates an entry',
      `update audit.entries set at = at - interval '1 ms' where id = 9`,
      /^entry 9 .*hash/,
    ],
    [
      'deletes an entry',
      `delete from audit.chain where entry_id = 5; delete from audit.entries where id = 5`,
      /^entry 5 is missing/,
    ],
    ['deletes the row only', `delete from audit.entries where id = 5`, /^entry 5 is missing/],
    [
      'deletes the first entries',
      `delete from audit.chain where position < 3; delete from audit.entries where id < 3`,
      /^entry 1 is missing/,
    ],
    [
      'reorders two entries',
      `update audit.chain set entry_id = -1 where position = 2; update audit.chain set entry_id = 2 where position = 3; update audit.chain set entry_id = 3 where position = 2`,
      /^entry 2 .*hash/,
    ],
    [
      'inserts one between',
      `update audit.chain set position = -position where position > 4;
      insert into audit.entries overriding system value select 99, at, token_id, token_name, address, action, outcome, error_code, ref_id, vin, subject, reason, detail, operation_id from audit.entries where id = 1;
      insert into audit.chain values (5, 99, repeat('a', 64));
      update audit.chain set position = 1 - position where position < 0`,
      /^entry 5 .*hash/,
    ],
    [
      'cuts off the end',
      `delete from audit.chain where position > 7; delete from audit.entries where id > 7`,
      /^entry 8 is missing/,
    ],
    [
      'keeps an entry out of the chain',
      `insert into audit.entries (at, token_id, token_name, address, action, outcome, subject, reason, detail)
         values (now(), '', 'Eve', '', 'cancel', 'done', '', '', '{}')`,
      /^entries that are neither in the chain nor pending: 1$/,
    ],
    ['truncates everything', `truncate audit.chain, audit.entries`, /^entry 1 is missing/],
    ['removes a seal', `delete from audit.seals where id = 2`, /a seal is missing/],
    [
      'changes a seal',
      `update audit.seals set hash = repeat('0', 64) where id = 3`,
      /does not verify/,
    ],
  ])('who %s', async (_what, statement, fault) => {
    await threeDays();
    expect(await verdict()).toMatchObject({ intact: true, entries: 9, seals: 3 });
    await asSuperuser(
      `set local enable_seqscan = on`,
      'alter table audit.chain drop constraint chain_position_check',
      statement,
    );
    const found = await verdict();
    expect(found.intact).toBe(false);
    expect(found.faults[0]).toMatch(fault);
  });

  it('who rewrites the whole chain, unless they have the seal key too', async () => {
    await threeDays();
    await asSuperuser(
      `update audit.entries set token_name = 'Eve' where id = 4`,
      'delete from audit.chain',
      'insert into audit.pending select id from audit.entries',
    );
    await sequencer.run();
    const found = await verdict();
    expect(found.faults[0]).toMatch(/^the seal of 2026-01-02.* is of other entries/);
    // With the key, the change is hidden; copies of the seals elsewhere protect against that.
    await asSuperuser('delete from audit.seals');
    await sequencer.run();
    expect(await verdict()).toMatchObject({ intact: true });
  });

  it('in an export that was changed or cut', async () => {
    await threeDays();
    const lines = await exported();
    const attacks: [string, string[]][] = [
      ['cut', lines.slice(0, -1)],
      ['without an entry', lines.toSpliced(4, 1)],
      ['with a line added', [...lines, lines.at(-1) ?? '']],
      ['without its header', lines.slice(1)],
      ['empty', []],
      ['with a line that is no JSON', lines.toSpliced(3, 0, 'x')],
      ['with a list for a line', lines.toSpliced(3, 0, '[1]')],
      ['with a seal of nothing', lines.toSpliced(3, 0, '{"seal":null}')],
      ['with an end too early', lines.toSpliced(3, 0, '{"end":{}}')],
    ];
    for (const [what, attacked] of attacks) {
      const found = await verifyLog(attacked);
      expect(found.intact, what).toBe(false);
      expect(found.faults.length, what).toBeGreaterThan(0);
    }
  });
});

describe('The role of the server', () => {
  const ROLE = `otaops_test_${process.pid}`;
  let server: Database;

  beforeEach(async () => {
    await database.script(`create role ${ROLE} login; grant all on schema public to ${ROLE}`);
    await protectAudit(database, ROLE);
    server = openPostgres({ url: url.replace(/\/\/[^@]*@/, `//${ROLE}@`) });
  });
  afterEach(async () => {
    await server.close();
    await database.script(`drop owned by ${ROLE}; drop role ${ROLE}`);
  });

  it('adds, chains and seals', async () => {
    await recordActions(server, 'pause', [{ vin: null, by: BY, detail: {} }], now);
    await sequencerWith(signer, server).run();
    expect(await verifyLog(await exported(server), [signer.key])).toMatchObject({
      intact: true,
      entries: 1,
      seals: 1,
    });
    expect(await auditWeaknesses(server)).toEqual([]);
  });

  it('cannot change or delete entries, or get around that', async () => {
    await record(2);
    await sequencer.run();
    for (const table of ['entries', 'chain', 'seals', 'keys']) {
      for (const statement of [
        `delete from audit.${table}`,
        `truncate audit.${table} cascade`,
        `drop table audit.${table} cascade`,
        `alter table audit.${table} disable trigger all`,
        `alter table audit.${table} owner to ${ROLE}`,
        `create trigger t before insert on audit.${table} for each row execute function audit.refuse_change()`,
      ]) {
        await expect(server.script(statement), statement).rejects.toThrow(
          /permission denied|must be owner/,
        );
      }
    }
    for (const statement of [
      `update audit.entries set reason = ''`,
      `update audit.chain set hash = hash`,
      `insert into audit.entries select * from audit.entries on conflict (id) do update set reason = ''`,
      'drop schema audit cascade',
      'set role otaops_audit',
      'set session_replication_role = replica',
      `create or replace function audit.refuse_change() returns trigger language plpgsql as 'begin return null; end'`,
    ]) {
      await expect(server.script(statement), statement).rejects.toThrow(
        /permission denied|must be owner|cannot|no privileges/,
      );
    }
    // Only a warning, and it has no effect.
    await server.script(`grant update on audit.entries to ${ROLE}`);
    expect(await auditWeaknesses(server)).toEqual([]);
    expect(await verdict()).toMatchObject({ intact: true, entries: 2 });
  });

  it('cannot keep an entry out of the chain, or stop the chaining', async () => {
    await record(2);
    await sequencer.run();
    await recordActions(server, 'cancel', [{ vin: null, by: BY, detail: {} }], now);
    await server.script('create table public.theirs (id bigint, entry_id bigint)');
    for (const statement of [
      'delete from audit.pending',
      'truncate audit.pending',
      'update audit.pending set entry_id = -entry_id',
      'insert into audit.pending values (1)',
      'alter table audit.pending disable trigger all',
      `alter table audit.pending owner to ${ROLE}`,
      'drop table audit.pending',
      `create trigger t before delete on audit.pending for each row execute function audit.refuse_change()`,
      `create trigger t after insert on public.theirs referencing new table as added
         for each statement execute function audit.add_pending()`,
      `create trigger t after insert on public.theirs referencing new table as added
         for each statement execute function audit.remove_pending()`,
      `create or replace function audit.add_pending() returns trigger language plpgsql as 'begin return null; end'`,
      `create or replace function audit.remove_pending() returns trigger language plpgsql as 'begin return null; end'`,
    ]) {
      await expect(server.script(statement), statement).rejects.toThrow(
        /permission denied|must be owner/,
      );
    }
    await sequencerWith(signer, server).run();
    expect(await verdict()).toMatchObject({ intact: true, entries: 3 });
    expect(await auditStatus(server, signer)).toMatchObject({ pending: 0, weaknesses: [] });
  });

  it('gains nothing from triggers that it created while it owned the log', async () => {
    await record(1);
    await database.script(`grant usage on schema audit to ${ROLE};
      grant execute on function audit.add_pending(), audit.remove_pending() to ${ROLE}`);
    await server.script(`create table public.theirs (id bigint, entry_id bigint);
      create trigger a after insert on public.theirs referencing new table as added
        for each statement execute function audit.add_pending();
      create trigger r after insert on public.theirs referencing new table as added
        for each statement execute function audit.remove_pending()`);
    await expect(server.script('insert into public.theirs values (99, 1)')).rejects.toThrow();
    await server.script('alter table public.theirs disable trigger a');
    await expect(server.script('insert into public.theirs values (99, 1)')).rejects.toThrow();
    expect(await auditStatus(database, signer)).toMatchObject({ pending: 1 });
  });

  it('is warned of permissions to do so', async () => {
    expect(await auditWeaknesses(database)).toEqual([expect.stringContaining('is a superuser')]);
    await database.script(`grant update on audit.chain to ${ROLE}`);
    expect(await auditWeaknesses(server)).toEqual([`${ROLE} may change chain`]);
    await database.script(`grant insert on audit.pending to ${ROLE}`);
    expect(await auditWeaknesses(server)).toEqual([`${ROLE} may change chain, pending`]);
    await database.script(`alter function audit.remove_pending() owner to ${ROLE}`);
    expect(await auditWeaknesses(server)).toContain(`${ROLE} owns remove_pending()`);
    await database.script('alter function audit.remove_pending() owner to otaops_audit');
    await database.script(`grant otaops_audit to ${ROLE}`);
    expect((await auditWeaknesses(server)).join()).toContain('owns the schema audit');
    await database.script(`revoke otaops_audit from ${ROLE}`);
  });
});

describe('The list of entries', () => {
  it('finds entries by token and by subject, however long', async () => {
    const subjects = ['a subject', 'x'.repeat(20_000), `${'x'.repeat(19_999)}y`];
    for (const subject of subjects) {
      await recordActions(database, 'pause', [{ vin: null, by: BY, detail: {}, subject }], now);
    }
    await recordActions(database, 'pause', [{ vin: null, by: BY, detail: {}, refId: 'r' }], now);
    const page = { before: Number.MAX_SAFE_INTEGER, limit: 100 };
    for (const subject of subjects) {
      const found = await listEntries(database, { subject }, page);
      expect(found.map((row) => row.subject)).toEqual([subject]);
    }
    expect(await listEntries(database, { subject: 'r' }, page)).toHaveLength(1);
    expect(await listEntries(database, { who: BY.id }, page)).toHaveLength(4);
    expect(await listEntries(database, { who: BY.name }, page)).toHaveLength(4);
  });

  it.each([
    [{ who: 'token-1' }, 'audit_entries_by_token_id'],
    [{ subject: 'a subject' }, 'audit_entries_by_subject'],
  ])('has an index for %o', async (filter, index) => {
    const plan = await database.transaction(async (tx) => {
      // On a small table, the plan would be to read everything in order of ids.
      await tx.script('set local enable_seqscan = off; set local enable_indexscan = off');
      const explaining = Object.assign(Object.create(tx) as Queryable, {
        query: (statement: string, values: Parameter[]) => tx.query(`explain ${statement}`, values),
      });
      return listEntries(explaining, filter, { before: 1_000, limit: 10 });
    });
    expect(JSON.stringify(plan)).toContain(`Bitmap Index Scan on ${index}`);
  });
});

it('Even the owner of the tables cannot change an entry by mistake', async () => {
  await record(1);
  for (const statement of [
    'update audit.entries set reason = reason',
    'delete from audit.entries where false',
    'truncate audit.entries cascade',
  ]) {
    await expect(database.script(statement)).rejects.toThrow(/the audit log is never changed/);
  }
});
