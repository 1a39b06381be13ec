/**
 * The role with which a server signs in to its embedded database. It owns the server's tables but is not a superuser, so
 * that the audit log can be protected from it.
 */
import { type Queryable } from '../database.js';
import { openPostgres } from '../postgres.js';

export const SERVER_ROLE = 'otaops_server';

/** May be repeated. */
export function createServerRole(superuserUrl: string): Promise<void> {
  return asSuperuser(superuserUrl, async (tx) => {
    const [existing] = await tx.query('select from pg_roles where rolname = $1', [SERVER_ROLE]);
    if (!existing) await tx.script(`create role ${SERVER_ROLE} login`);
    await tx.script(
      `grant create on database postgres to ${SERVER_ROLE};
       alter schema public owner to ${SERVER_ROLE}`,
    );
  });
}

/** @throws DatabaseError */
export async function asSuperuser(
  url: string,
  work: (tx: Queryable) => Promise<void>,
): Promise<void> {
  const database = openPostgres({ url, connections: 1 });
  try {
    await database.transaction(work);
  } finally {
    await database.close();
  }
}
