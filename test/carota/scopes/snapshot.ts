/** Content of the database, row by row with its vehicle model: shows what a caller has changed. */
import { snapshotOf } from '../../support/scope-snapshot.js';

/** Rows without a model belong to all. Rows of a schedule belong to the schedule’s model. */
const TABLES: Readonly<Record<string, string>> = {
  schedules: `select s.model, concat_ws('|', s.ref_id, s.script_ref_id, s.plan, s.status, s.reason, s.approved_at, s.intended) as line
    from schedules s`,
  vehicles_of: `select s.model, concat_ws('|', s.ref_id, v.vin, v.wave, v.state) as line
    from schedule_vehicles v join schedules s on s.id = v.schedule_id`,
  decisions: `select s.model, concat_ws('|', s.ref_id, d.decision, d.actor) as line
    from decisions d join schedules s on s.id = d.schedule_id`,
  scripts: `select model, concat_ws('|', script_ref_id, script, approved_sha256) as line from update_scripts`,
  vehicles: `select model, concat_ws('|', vin, system_id, tags, updated_at) as line from vehicles`,
  events: `select '' as model, event_id as line from events`,
  artifacts: `select '' as model, sha256 as line from artifacts`,
  tokens: `select '' as model, concat_ws('|', id, name, role, scopes, revoked_at, expires_at, replaced_by) as line from tokens`,
  rules: `select '' as model, concat_ws('|', id, enabled) as line from notification_rules`,
  refused: `select '' as model, concat_ws('|', id, replayed_at) as line from refused_events`,
  certificates: `select '' as model, serial as line from revoked_certificates`,
  codes: `select '' as model, vin as line from enrolment_codes`,
  ecus: `select '' as model, concat_ws('|', vin, serial) as line from ecus`,
};

export const snapshotBeside = snapshotOf(TABLES);
