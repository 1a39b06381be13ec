/** Watches the exposure cap in the database itself, at each commit that changes a running schedule. */
import type pg from 'pg';
import { expect } from 'vitest';

/** Undecided vehicles, and the number of vehicles exposed after the one at which a test may stop. */
const WATCH = `
  create table cap_watch (undecided bigint, behind bigint, cap bigint);
  create function watch_cap() returns trigger language plpgsql as $$
  begin
    insert into cap_watch
    select count(*) filter (where v.result = 'undecided'),
      count(*) filter (where v.place > s.stop_place),
      (s.plan -> 'guard' ->> 'exposureCap')::int + s.passed
    from schedules s join schedule_vehicles v on v.schedule_id = s.id
    where s.id = new.id and s.status = 'running' group by s.id;
    return null;
  end $$;
  create constraint trigger watch_cap after update on schedules
    deferrable initially deferred for each row execute function watch_cap();`;

export const watchCap = (database: pg.Client) => database.query(WATCH);

/** Expects that no commit exceeded the cap, and that one reached it, so that the cap did hold vehicles back. */
export async function expectCapHeld(database: pg.Client): Promise<void> {
  const { rows } = await database.query<{ undecided: string; behind: string; cap: string }>(
    'select * from cap_watch',
  );
  for (const row of rows) {
    expect(Number(row.undecided)).toBeLessThanOrEqual(Number(row.cap));
    expect(Number(row.behind)).toBeLessThanOrEqual(Number(row.cap));
  }
  expect(rows.some(({ undecided, cap }) => undecided === cap)).toBe(true);
}
