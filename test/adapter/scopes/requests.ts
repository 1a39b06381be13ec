/** Calls to each route of the adapter, about a vehicle model. A route missing here fails the test. */
import { type RawCall } from '../../support/raw-call.js';
import { type Calls } from '../../support/scope-property.js';
import { type Named } from '../../support/scoped-names.js';

/** Routes that stay open have tests of their own. */
export const STREAMS = ['watch', 'streamEvents'];

const once: Calls = () => [{}];
const operation: Calls = ({ refId }) => [{ params: { 'ref-id': refId } }];
const vehicle: Calls = ({ vin }) => [{ params: { vin } }, { params: { vin: vin.toLowerCase() } }];
const inOperation: Calls = ({ refId, vin }) => [{ params: { 'ref-id': refId, vin } }];
const with_ =
  (calls: Calls, more: RawCall): Calls =>
  (about) =>
    calls(about).map((call) => ({ ...call, ...more }));
const someId: Calls = () => [{ params: { id: '01999999-9999-7999-8999-999999999999' } }];

export const REQUESTS: Readonly<Record<string, Calls>> = {
  trigger: ({ model, refId, script, vin }) => [
    { body: event({ model, refId, script, vins: [vin] }) },
    // A vehicle of the model, together with an unregistered one.
    { body: event({ model, refId, script, vins: [vin, vin.replace(/\d$/, '9')] }) },
    { body: event({ model, refId: `${refId} new`, script, vins: [vin] }) },
  ],

  listOperations: once,
  getOperation: operation,
  listOperationVehicles: (about) => [
    ...operation(about),
    ...with_(operation, { query: { text: 'MARK' } })(about),
    ...with_(operation, { query: { offset: '1', limit: '10' } })(about),
    ...with_(operation, { query: { reason: `because of ${about.mark}` } })(about),
  ],
  countOperationVehicles: operation,
  listSamples: operation,
  getOperationVehicle: inOperation,

  pauseOperation: operation,
  resumeOperation: operation,
  changeOperation: with_(operation, { body: { priority: 3 } }),
  retriggerVehicle: inOperation,
  retriggerVehicles: with_(operation, { body: { state: 'failure' } }),
  cancelOperation: operation,

  getDispatch: once,
  changeDispatch: () => [{ body: { triggersPerSecond: 7 } }],

  getSummary: operation,
  getTimeline: inOperation,
  exportVehicles: (about) => [
    ...operation(about),
    ...with_(operation, { query: { format: 'ndjson' } })(about),
  ],
  searchVehicles: ({ vin, mark }) => [
    { query: { vin: mark } },
    { query: { vin } },
    { query: { vin: 'M', limit: '1000' } },
  ],
  getVehicle: vehicle,
  getMessage: ({ refId, vin, messageId }) => [
    { params: { 'ref-id': refId, vin, message_id: messageId } },
  ],
  listOperationAudit: operation,

  listAudit: ({ vin }) => [{}, { query: { vin } }],
  getAuditStatus: once,
  verifyAudit: once,
  exportAudit: once,
  getHealth: once,

  pullEvents: ({ refId, vin }) => [
    {},
    { query: { 'ref-id': refId } },
    { query: { vin } },
    { query: { since: '2020-01-01T00:00:00Z', limit: '5000' } },
  ],

  listReceivers: once,
  addReceiver: () => [{ body: { name: 'mine', url: 'https://127.0.0.1/' } }],
  getReceiver: someId,
  changeReceiver: with_(someId, { body: { enabled: false } }),
  removeReceiver: someId,
  replayEvents: with_(someId, { body: { after: 0 } }),

  registerVehicle: (about) =>
    with_(vehicle, { body: { system_id: `taken-${about.mark}`, model: about.model } })(about),
  getRegistration: vehicle,
  deleteRegistration: vehicle,
  listRegistrations: ({ mark }) => [{}, { query: { vin: mark } }, { query: { limit: '1000' } }],
  importVehicles: ({ vin, mark, model }) => [
    {
      content: {
        type: 'application/x-ndjson',
        body: JSON.stringify({ vin, system_id: `imported-${mark}`, model }),
      },
    },
  ],

  revokeCertificate: () => [{ params: { serial: '5B0C' }, body: { reason: 'test' } }],
  listRevokedCertificates: once,
  listDeadLetters: ({ vin }) => [{}, { query: { vin } }],
  replayDeadLetter: someId,
  replayDeadLetters: ({ vin }) => [{ body: { filter: { vin } } }],

  createToken: ({ model }) => [{ body: { name: 'more', role: 'viewer', scopes: [model] } }],
  listTokens: once,
  rotateToken: someId,
  revokeToken: someId,

  getSession: once,
  getSignInWays: once,
  beginSignOn: once,
  completeSignOn: () => [{ query: { state: 'x', code: 'x' } }],
  leaveSignOn: once,
  takeLogoutToken: () => [
    { content: { type: 'application/x-www-form-urlencoded', body: 'logout_token=x' } },
  ],
  signIn: () => [{ body: { token: 'x' } }],
  signOut: once,

  getLiveness: once,
  getReadiness: once,
  getMetrics: once,
  getOpenApi: once,
  getAsyncApi: once,
};

export const event = ({
  model,
  refId,
  script,
  vins,
}: Pick<Named, 'model' | 'refId' | 'script'> & { readonly vins: readonly string[] }) => ({
  time: 1625660275379,
  version: 'v1',
  body: { model, 'ref-id': refId, 'script-ref-id': script, vins },
});
