/**
 * Protects the audit log from the server's own database role. The tables belong to a role without login; the server's role
 * may only insert and read. A superuser can still change everything; the copied seals protect against that.
 */
import { type Queryable } from '../database/index.js';

/** Owns the schema `audit`; cannot sign in. */
const AUDIT_OWNER = 'otaops_audit';

/** Append-only tables. */
const ADDED_TO = ['entries', 'chain', 'seals', 'keys'];
/** Written only by triggers, with their owner's rights: anyone who could delete from it could keep an entry out of the chain. */
const PENDING = 'pending';
const FUNCTIONS = ['add_pending()', 'remove_pending()', 'refuse_change()'];

/**
 * Takes the audit log from the server's role. May be repeated.
 *
 * @param superuser in the server's database, migrated
 * @param role that the server signs in as
 * @throws DatabaseError
 */
export async function protectAudit(superuser: Queryable, role: string): Promise<void> {
  const name = quoted(role);
  const tables = ADDED_TO.map((table) => `audit.${table}`);
  await superuser.script(
    [
      // Roles belong to all databases of a cluster, in which others may be doing the same at this moment.
      `do $$ begin create role ${AUDIT_OWNER} nologin; exception when duplicate_object or unique_violation then null; end $$`,
      `alter schema audit owner to ${AUDIT_OWNER}`,
      ...[...tables, `audit.${PENDING}`].map(
        (table) => `alter table ${table} owner to ${AUDIT_OWNER}`,
      ),
      ...FUNCTIONS.map((given) => `alter function audit.${given} owner to ${AUDIT_OWNER}`),
      `revoke all on all functions in schema audit from public, ${name}`,
      `revoke all on schema audit from public, ${name}`,
      `revoke all on all tables in schema audit from public, ${name}`,
      `grant usage on schema audit to ${name}`,
      `grant select, insert on ${tables.join(', ')} to ${name}`,
      `grant select on audit.${PENDING} to ${name}`,
      `grant select, insert, update, delete on audit.copies to ${name}`,
    ].join(';\n'),
  );
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/**
 * Reasons why the current role could change entries, each completing "the database role …"; empty if it cannot.
 *
 * @throws DatabaseError
 */
export async function auditWeaknesses(database: Queryable): Promise<string[]> {
  const [found] = await database.query<{
    role: string;
    superuser: boolean;
    owns_schema: boolean;
    owned: string[];
    owned_functions: string[];
    changeable: string[];
  }>(
    `select current_user as role, r.rolsuper as superuser,
       pg_has_role(n.nspowner, 'member') as owns_schema,
       (select coalesce(json_agg(c.relname order by c.relname), '[]') from pg_class c
        where c.relnamespace = n.oid and c.relkind = 'r' and c.relname = any($1::text[])
          and pg_has_role(c.relowner, 'member')) as owned,
       (select coalesce(json_agg(p.proname order by p.proname), '[]') from pg_proc p
        where p.pronamespace = n.oid and pg_has_role(p.proowner, 'member')) as owned_functions,
       (select coalesce(json_agg(c.relname order by c.relname), '[]') from pg_class c
        where c.relnamespace = n.oid and c.relkind = 'r' and c.relname = any($1::text[])
          and (has_table_privilege(c.oid, 'update, delete, truncate, trigger')
            or c.relname = $2 and has_table_privilege(c.oid, 'insert'))) as changeable
     from pg_namespace n, pg_roles r where n.nspname = 'audit' and r.rolname = current_user`,
    [`{${[...ADDED_TO, PENDING].join(',')}}`, PENDING],
  );
  if (!found) return ['has no audit log'];
  const { role } = found;
  const owned = [...found.owned, ...found.owned_functions.map((name) => `${name}()`)];
  if (found.superuser) return [`${role} is a superuser`];
  return [
    ...(found.owns_schema ? [`${role} owns the schema audit`] : []),
    ...(owned.length > 0 ? [`${role} owns ${owned.join(', ')}`] : []),
    ...(found.changeable.length > 0 ? [`${role} may change ${found.changeable.join(', ')}`] : []),
  ];
}
