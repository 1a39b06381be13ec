/** Content of the database, row by row with its vehicle model: shows what a caller has changed. */
import { snapshotOf } from '../../support/scope-snapshot.js';

/**
 * Only what callers decide: sending, receiving and sampling continue meanwhile. Rows without a model belong to all
 * models, and a delivery belongs to its operation’s model.
 */
const TABLES: Readonly<Record<string, string>> = {
  operations: `select o.model, concat_ws('|', o.ref_id, o.script_ref_id, o.status, o.priority, o.rate::text, o.ttl) as line
    from operations o`,
  deliveries: `select o.model, concat_ws('|', o.ref_id, d.vin, d.attempt, d.trigger_id) as line
    from deliveries d join operations o on o.id = d.operation_id`,
  log: `select o.model, concat_ws('|', o.ref_id, l.vin, l.what, l.at) as line
    from delivery_log l join operations o on o.id = l.operation_id
    where l.what in ('retriggered', 'registered', 'cancelled')`,
  messages: `select o.model, concat_ws('|', o.ref_id, m.vin, m.message_id, m.status) as line
    from messages m join operations o on o.id = m.operation_id`,
  vehicles: `select model, concat_ws('|', vin, system_id, device_id, ecu_type, updated_at) as line from vehicles`,
  dead_letters: `select '' as model, concat_ws('|', id, vin, replayed_at) as line from dead_letters`,
  callbacks: `select '' as model, concat_ws('|', id, name, url, enabled) as line from callbacks`,
  tokens: `select '' as model, concat_ws('|', id, name, role, scopes, revoked_at, expires_at, replaced_by) as line from tokens`,
  rate: `select '' as model, coalesce(trigger_rate::text, '') as line from adapter_group`,
  certificates: `select '' as model, serial as line from revoked_certificates`,
};

export const snapshotBeside = snapshotOf(TABLES);
