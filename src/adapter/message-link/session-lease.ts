/**
 * Who holds which MQTT session. The broker keeps what it has for an adapter in the session of its
 * client id, also while the adapter is gone. Each session has a lease, so that the session of a lost
 * adapter is found and emptied by another one. Times are the database's own.
 */
import { type Queryable } from '../../service/database/index.js';

/** Takes a session, also from another holder: the broker lets go of the other connection too. */
export async function takeSession(
  database: Queryable,
  clientId: string,
  holder: string,
  leaseSeconds: number,
): Promise<void> {
  await database.query(
    `insert into link_sessions as s (client_id, holder, lease_until)
     values ($1, $2, now() + make_interval(secs => $3))
     on conflict (client_id) do update set
       holder = excluded.holder, lease_until = excluded.lease_until, ended_at = null`,
    [clientId, holder, leaseSeconds],
  );
}

/** Renews all leases of a holder. @returns the client ids that it still holds */
export async function renewSessions(
  database: Queryable,
  holder: string,
  leaseSeconds: number,
): Promise<Set<string>> {
  const rows = await database.query<{ client_id: string }>(
    `update link_sessions set lease_until = now() + make_interval(secs => $2)
     where holder = $1 and ended_at is null returning client_id`,
    [holder, leaseSeconds],
  );
  return new Set(rows.map(({ client_id }) => client_id));
}

/** Takes a session whose holder is lost. @returns its client id; undefined if there is none */
export async function adoptSession(
  database: Queryable,
  holder: string,
  leaseSeconds: number,
): Promise<string | undefined> {
  const [row] = await database.query<{ client_id: string }>(
    `with lost as (
       select client_id from link_sessions where lease_until < now()
       order by lease_until limit 1 for update skip locked
     )
     update link_sessions s
     set holder = $1, lease_until = now() + make_interval(secs => $2), ended_at = null
     from lost where s.client_id = lost.client_id returning s.client_id`,
    [holder, leaseSeconds],
  );
  return row?.client_id;
}

/** The session goes on without a holder: any adapter may adopt it at once. */
export async function abandonSession(
  database: Queryable,
  clientId: string,
  holder: string,
): Promise<void> {
  await database.query(
    `update link_sessions set lease_until = '-infinity' where client_id = $1 and holder = $2`,
    [clientId, holder],
  );
}

/** The session has been emptied and ended. */
export async function endSession(
  database: Queryable,
  clientId: string,
  holder: string,
): Promise<void> {
  await database.query(
    `update link_sessions set lease_until = 'infinity', ended_at = now()
     where client_id = $1 and holder = $2`,
    [clientId, holder],
  );
}

/**
 * A broker that was away may have crashed, and come back from a state in which ended sessions are
 * still there and go on receiving: they are looked at again. Those are forgotten that the broker
 * itself would have ended by now.
 */
export async function suspectEndedSessions(
  database: Queryable,
  sessionExpirySeconds: number,
): Promise<void> {
  await database.query(
    `with forgotten as (
       delete from link_sessions where ended_at < now() - make_interval(secs => $1)
     )
     update link_sessions set lease_until = '-infinity'
     where ended_at >= now() - make_interval(secs => $1)`,
    [sessionExpirySeconds],
  );
}
