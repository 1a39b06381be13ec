/** Calls of each route of the CarOTA Server about a vehicle model. A route missing here fails the test. */
import { type RawCall } from '../../support/raw-call.js';
import { type Calls } from '../../support/scope-property.js';
import { type Named } from '../../support/scoped-names.js';

/** Streaming routes have their own tests. */
export const STREAMS = ['watch'];

const SHA256 = 'a'.repeat(64);
const once: Calls = () => [{}];
const schedule: Calls = ({ refId }) => [{ params: { 'ref-id': refId } }];
const script: Calls = ({ script: name }) => [{ params: { 'script-ref-id': name } }];
const vehicle: Calls = ({ vin }) => [{ params: { vin } }, { params: { vin: vin.toLowerCase() } }];
const inSchedule: Calls = ({ refId, vin }) => [{ params: { 'ref-id': refId, vin } }];
const someId: Calls = () => [{ params: { id: '01999999-9999-7999-8999-999999999999' } }];
const artifact: Calls = () => [{ params: { sha256: SHA256 } }];
const with_ =
  (calls: Calls, more: RawCall): Calls =>
  (about) =>
    calls(about).map((call) => ({ ...call, ...more }));

const plan = ({ model, refId, script: name }: Named, more: object) => ({
  body: { 'ref-id': refId, 'script-ref-id': name, model, ...more },
});
const lines = (about: Named, value: object): RawCall => ({
  content: { type: 'application/x-ndjson', body: JSON.stringify(value) },
});
/** Another vehicle of the model. */
const second = ({ vin }: Named) => vin.replace(/\d$/, '2');

const plans: Calls = (about) => [
  plan(about, { vins: [about.vin] }),
  plan({ ...about, refId: `${about.refId} new` }, { vins: [about.vin, second(about)] }),
  plan({ ...about, refId: `${about.refId} filtered` }, { filter: {} }),
  plan({ ...about, refId: `${about.refId} waves` }, { vins: [], waves: [{ vins: [about.vin] }] }),
];

export const REQUESTS: Readonly<Record<string, Calls>> = {
  uploadArtifact: () => [{ content: { type: 'application/octet-stream', body: 'software' } }],
  listArtifacts: once,
  getArtifact: artifact,
  deleteArtifact: artifact,
  getStorage: once,
  getArtifactContent: with_(artifact, { query: { expires: '1', signature: 'x' } }),
  headArtifactContent: with_(artifact, { query: { expires: '1', signature: 'x' } }),

  publishScript: ({ script: name, model }) => [
    { body: { version: 'v1', 'script-ref-id': name, model, ecus: [] } },
  ],
  validateScript: ({ script: name, model }) => [
    { body: { version: 'v1', 'script-ref-id': name, model, ecus: [] } },
  ],
  listScripts: () => [{}, { query: { limit: '1' } }],
  getScript: script,
  locateArtifacts: script,
  deleteScript: script,
  approveScript: with_(script, { body: { digest: SHA256 } }),

  previewSchedule: plans,
  createSchedule: plans,
  previewStoredSchedule: schedule,
  listSchedules: () => [{}, { query: { limit: '2' } }],
  getSchedule: schedule,
  approveSchedule: with_(schedule, { body: { digest: SHA256 } }),
  pauseSchedule: schedule,
  resumeSchedule: schedule,
  continueSchedule: schedule,
  listScheduleVehicles: (about) => [
    ...schedule(about),
    ...with_(schedule, { query: { state: 'waiting', limit: '1' } })(about),
  ],
  addScheduleVehicles: (about) => with_(schedule, lines(about, { vin: second(about) }))(about),
  getScheduleVehicle: inSchedule,
  admitVehicle: inSchedule,
  stopSchedule: with_(schedule, { body: { reason: 'because' } }),
  getDossier: schedule,
  compareSchedule: schedule,
  listComparedVehicles: with_(schedule, { query: { only: 'added' } }),

  listVehicles: ({ model }) => [{}, { query: { model } }, { query: { limit: '1' } }],
  importVehicles: (about) => [lines(about, { vin: about.vin, model: about.model })],
  getVehicle: vehicle,
  getVehicleTimeline: (about) => [
    ...vehicle(about),
    ...with_(vehicle, { query: { 'ref-id': about.refId } })(about),
  ],
  putVehicle: (about) => with_(vehicle, { body: { model: about.model } })(about),
  eraseVehicle: vehicle,
  createEnrolmentCode: vehicle,
  listCertificates: vehicle,
  revokeCertificate: () => [{ params: { serial: '5B0C' }, body: { reason: 'test' } }],
  listRevokedCertificates: once,

  listEcus: vehicle,
  getManifest: vehicle,
  putEcus: with_(vehicle, { body: { ecus: [] } }),
  replaceEcu: ({ vin }) => [{ params: { vin, serial: 'hu-1' }, body: {} }],
  importEcus: (about) => [lines(about, { vin: about.vin, ecus: [] })],
  sendManifest: with_(vehicle, { body: {} }),
  askTime: with_(vehicle, { body: {} }),
  getDirectorMetadata: ({ vin }) => [{ params: { vin, file: 'timestamp.json' } }],
  getDirectorRepository: once,
  listAttackReports: ({ vin }) => [{}, { query: { vin } }],
  getImageMetadata: () => [{ params: { file: 'timestamp.json' } }],
  getImageRepository: once,
  deliver: () => [{ body: {} }],
  uploadDeliveredImage: with_(artifact, {
    content: { type: 'application/octet-stream', body: 'software' },
  }),

  listAudit: ({ vin }) => [{}, { query: { vin } }],
  getAuditStatus: once,
  verifyAudit: once,
  exportAudit: once,
  receiveEvents: () => [{ body: {} }],
  listRefusedEvents: ({ vin, refId }) => [{}, { query: { vin } }, { query: { 'ref-id': refId } }],
  replayRefusedEvents: () => [{ body: { filter: {} } }],
  replayRefusedEvent: someId,

  listNotificationRules: once,
  addNotificationRule: () => [{ body: {} }],
  changeNotificationRule: with_(someId, { body: {} }),
  removeNotificationRule: someId,
  testNotificationRule: someId,
  listNotifications: once,

  createToken: ({ model }) => [{ body: { name: 'more', role: 'viewer', scopes: [model] } }],
  listTokens: once,
  rotateToken: someId,
  revokeToken: someId,

  signIn: () => [{ body: { token: 'x' } }],
  getSession: once,
  signOut: once,
  getSignInWays: once,
  beginSignOn: once,
  completeSignOn: () => [{ query: { state: 'x', code: 'x' } }],
  leaveSignOn: once,
  takeLogoutToken: () => [
    { content: { type: 'application/x-www-form-urlencoded', body: 'logout_token=x' } },
  ],
  getLiveness: once,
  getReadiness: once,
  getMetrics: once,
  getOpenApi: once,
};
