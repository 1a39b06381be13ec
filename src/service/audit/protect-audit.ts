/**
 * Who may change the audit log: nobody whom the server signs in as. The tables belong to a role that nobody signs in with;
 * the server's role may insert and read. A superuser may do everything, always: against that there are seals, copied away.
 */
import { type Queryable } from '../database/index.js';

/** Owns the schema `audit`; cannot sign in. */
const AUDIT_OWNER = 'otaops_audit';

/** Tables of which entries are only added. */
const ADDED_TO = ['entries', 'chain', 'seals', 'keys'];
const FUNCTIONS = ['add_pending()', 'refuse_change()'];

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
      ...tables.map((table) => `alter table ${table} owner to ${AUDIT_OWNER}`),
      ...FUNCTIONS.map((given) => `alter function audit.${given} owner to ${AUDIT_OWNER}`),
      `revoke all on schema audit from public, ${name}`,
      `revoke all on all tables in schema audit from public, ${name}`,
      `grant usage on schema audit to ${name}`,
      `grant select, insert on ${tables.join(', ')} to ${name}`,
      `grant select, insert, delete on audit.pending to ${name}`,
      `grant select, insert, update, delete on audit.copies to ${name}`,
    ].join(';\n'),
  );
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/**
 * Why the role that asks could change entries, each completing "the database role …"; empty if it could not.
 *
 * @throws DatabaseError
 */
export async function auditWeaknesses(database: Queryable): Promise<string[]> {
  const [found] = await database.query<{
    role: string;
    superuser: boolean;
    owns_schema: boolean;
    owned: string[];
    changeable: string[];
  }>(
    `select current_user as role, r.rolsuper as superuser,
       pg_has_role(n.nspowner, 'member') as owns_schema,
       (select coalesce(json_agg(c.relname order by c.relname), '[]') from pg_class c
        where c.relnamespace = n.oid and c.relkind = 'r' and c.relname = any($1::text[])
          and pg_has_role(c.relowner, 'member')) as owned,
       (select coalesce(json_agg(c.relname order by c.relname), '[]') from pg_class c
        where c.relnamespace = n.oid and c.relkind = 'r' and c.relname = any($1::text[])
          and has_table_privilege(c.oid, 'update, delete, truncate, trigger')) as changeable
     from pg_namespace n, pg_roles r where n.nspname = 'audit' and r.rolname = current_user`,
    [`{${ADDED_TO.join(',')}}`],
  );
  if (!found) return ['has no audit log'];
  const { role } = found;
  if (found.superuser) return [`${role} is a superuser`];
  return [
    ...(found.owns_schema ? [`${role} owns the schema audit`] : []),
    ...(found.owned.length > 0 ? [`${role} owns ${found.owned.join(', ')}`] : []),
    ...(found.changeable.length > 0 ? [`${role} may change ${found.changeable.join(', ')}`] : []),
  ];
}
