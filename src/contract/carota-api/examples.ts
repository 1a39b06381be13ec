/** What is so in the campaign of the examples, at the CarOTA Server. */
import {
  ECU,
  FAILED_AT,
  MODEL,
  OTHER_VIN,
  REF_ID,
  SYSTEM_ID,
  timeText,
  TRIGGERED_AT,
  VIN,
} from '../campaign.js';
import { COMMON_FACTS, FAILURE_RECEIVED } from '../common-api/examples.js';
import { type Facts } from '../http/example.js';
import { CAROTA_GRANTS } from './roles.js';

const STARTED = timeText(TRIGGERED_AT);
const POSTED = timeText(TRIGGERED_AT + 640);
const EXPOSED = timeText(TRIGGERED_AT + 96_500);
const FAILED = timeText(FAILED_AT);
const UPLOADED = '2026-11-27T09:30:21.408Z';
const PUBLISHED = '2026-11-27T09:41:50.117Z';
const APPROVED = '2026-11-28T13:05:44.932Z';
const DECIDES = '2026-12-08T22:01:36.500Z';

const IMAGE_SHA256 = 'a4db323ed7c0e83c4dba6675f91e1ad1590d9d44d08bc37660708a272f90d87a';
const SCRIPT_SHA256 = 'f48284d1f08431a00ea4e6ec1adf0d7ea1418e8e82518316173b620280e40d10';
const DIGEST = '4c9f250cbee83a31909321402509a2ffec39273cbe49548993bd874f6ea30348';
const KEY_ID = '4cb76586ddb4724885df2fbc0d9de4a09071524bab341e083abe35c36eba89be';
const SIGNATURE =
  '4b4728e252d01f0d265d64fe6a8957bdf21c85903161d89afcd2f8657ab7f6c1439568746002152d1faaa3db037872985a1326ad974f8430c1c3d830b601167d';

const ARTIFACT = {
  sha256: IMAGE_SHA256,
  md5: '3ddc8439a22add9676fdab0b82871edc',
  size: 104_857_600,
};
const CONTENT_URL = `/v1.0/artifacts/${IMAGE_SHA256}/content?expires=1796166000&signature=GnZ0607njffhrEOak8P6jjyUV4TU3sn9jjARc4svHWI`;
const ECU_IMAGE = {
  path: `artifacts/${IMAGE_SHA256}`,
  length: ARTIFACT.size,
  hashes: { sha256: IMAGE_SHA256 },
  releaseCounter: 14,
};

const COUNTS = {
  exposed: 2,
  undecided: 1,
  succeeded: 1,
  failed: 0,
  silent: 0,
  withdrawn: 0,
  failedEarly: 0,
};

const SCHEDULE = {
  status: 'running',
  reason: '',
  createdAt: PUBLISHED,
  approvedAt: APPROVED,
  startedAt: STARTED,
  endedAt: null,
};

const SCHEDULE_VEHICLE = {
  wave: 1,
  state: 'download_fail',
  reason: 'Network Failure',
  askedAt: null,
  place: 1,
  exposedAt: EXPOSED,
  result: 'undecided',
  decidesAt: DECIDES,
  silentAt: null,
  tries: 0,
  retryAt: null,
};

const VEHICLE = {
  model: MODEL,
  system_id: SYSTEM_ID,
  tags: ['staff'],
  versions: { HU: '1.3.7', TCU: '2.2' },
  updatedAt: '2026-09-04T02:31:19.640Z',
};

const RULE = {
  id: '7',
  name: 'operations',
  events: ['stop', 'hold', 'dead-letters'],
  channel: 'webhook',
  target: 'https://hooks.example/otaops',
  failurePercent: null,
  least: null,
  enabled: true,
  createdAt: '2026-03-16T09:20:04.512Z',
};

const RXSWINS = { rxswinBefore: 'RX79-A-0013', rxswinAfter: 'RX79-A-0014' };

export const CAROTA_FACTS: Facts = {
  members: COMMON_FACTS.members,
  schemas: {
    ...COMMON_FACTS.schemas,
    Session: {
      ...COMMON_FACTS.schemas.Session,
      permissions: CAROTA_GRANTS.admin,
      approval: 'second-person',
    },

    // Artifacts and update scripts
    Artifact: ARTIFACT,
    StoredArtifact: { ...ARTIFACT, name: 'hu-1.4.0.img', createdAt: UPLOADED, url: CONTENT_URL },
    Target: { path: `artifacts/${IMAGE_SHA256}`, state: 'published' },
    Room: {
      number: 42,
      bytes: 8_589_934_592,
      maxNumber: 10_000,
      maxBytes: 1_099_511_627_776,
    },
    Storage: { maxBytesPerToken: 274_877_906_944 },
    UpdateScript: { rollback: true, downgrade: false },
    EcuUpdate: { from: ['1.3.*'], after: undefined, requires: undefined, conflicts: undefined },
    Consent: {
      text: 'Version 1.4 of your head unit is ready. Install it now?',
      textVersion: '1',
      timeout: 86_400,
    },
    Preconditions: { battery: 40, gear: 'park', ignition: 'off', timeout: 86_400 },
    DailyWindow: { from: '22:00', to: '05:00' },
    UpdateRecord: {
      purpose: 'Corrects the display of the lane keeping assistant',
      systems: ['head unit'],
    },
    AffectedRegulation: {
      regulation: 'UN R79',
      ...RXSWINS,
    },
    RegulatedSoftware: { ecu: 'HU', version: '1.4.0', sha256: IMAGE_SHA256 },
    PublishedScript: { createdAt: PUBLISHED, sha256: SCRIPT_SHA256, approvedAt: APPROVED },
    ScriptVerdict: {
      valid: false,
      errors: [{ path: '/ecus', message: 'must not have fewer than 1 items' }],
    },
    ArtifactLocations: { artifacts: { [IMAGE_SHA256]: CONTENT_URL } },
    Approval: { digest: DIGEST, reason: 'Reviewed with type approval' },

    // Schedules
    Schedule: SCHEDULE,
    ScheduleDetails: {
      ...SCHEDULE,
      states: { download_fail: 1, success: 1, waiting: 198 },
      digest: null,
    },
    Wave: {
      ...COUNTS,
      number: 1,
      state: 'running',
      vehicles: 2,
      rejected: 0,
      finished: 1,
      rollbackFailed: 0,
      postedAt: POSTED,
      passedAt: null,
    },
    Decision: {
      at: APPROVED,
      wave: null,
      decision: 'approve',
      reason: 'Reviewed with type approval',
      actor: 'Bob Okafor',
      figures: null,
    },
    Exposure: { ...COUNTS, cap: 100, waiting: 0, retrying: 0, nextDeadline: DECIDES },
    GuardTest: {
      number: 1,
      from: 1,
      stopAt: 2.944,
      goAt: -2.944,
      oldest: { vin: VIN, state: 'download_fail', decidesAt: DECIDES },
    },
    GuardTestPoint: { place: 1, result: 'undecided', optimistic: -0.085, pessimistic: 1.609 },
    SchedulePreview: { vehicles: 200, unknown: 0 },
    WavePreview: { number: 1, vehicles: 2, vins: [], earliest: STARTED },
    VersionPreview: { ecu: 'HU', version: '1.3.7', vehicles: 200, accepted: true },
    ScheduleComparison: {
      digest: DIGEST,
      plan: [{ path: '/guard/exposureCap', before: 50, after: 100 }],
    },
    LastCampaign: {
      'ref-id': 'schedule 0871',
      status: 'completed',
      approvedAt: '2026-08-31T12:17:09.226Z',
      startedAt: '2026-09-03T22:00:00.000Z',
    },
    ScriptComparison: {
      before: {
        'script-ref-id': 'hu only 000',
        sha256: '05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f',
      },
      other: [],
    },
    ComparedScript: { sha256: SCRIPT_SHA256 },
    EcuComparison: { ecu: 'HU', before: null, differs: true },
    RegulationComparison: { before: null, differs: true },
    Rxswins: RXSWINS,
    VehicleComparison: { before: 180, after: 200, added: 20, removed: 0 },
    ComparedVehicle: { vin: OTHER_VIN },
    ScheduleVehicle: SCHEDULE_VEHICLE,
    ScheduleVehicleWithEvents: SCHEDULE_VEHICLE,
    Admission: { admitted: true, retryAfter: null, reason: '' },
    AddedVehicles: { vehicles: 2 },

    // Vehicles and their ECUs
    Vehicle: VEHICLE,
    VehicleWithEvents: VEHICLE,
    VehicleEvent: { status: 8, timestamp: FAILED, 'received-at': FAILURE_RECEIVED },
    VehicleTimeline: {
      items: [
        {
          kind: 'due',
          at: DECIDES,
          'ref-id': REF_ID,
          becomes: 'failed',
          because: '604800 s after its exposure',
          unless: 'a new attempt succeeds first',
        },
        {
          kind: 'report',
          at: FAILURE_RECEIVED,
          'ref-id': REF_ID,
          'event-id': COMMON_FACTS.members['event-id'],
          'status-name': 'download_fail',
          meta: COMMON_FACTS.members.meta,
          timestamp: FAILED,
        },
        { kind: 'exposed', at: EXPOSED, 'ref-id': REF_ID, place: 1 },
      ],
    },
    ImportResult: { imported: 999, rejectedCount: 1 },
    NewEnrolmentCode: { hours: 24 },
    EnrolmentCode: { code: 'LXvPLjjGE3jBMzwolpQAulPA', expiresAt: '2026-12-02T21:50:00.000Z' },
    IssuedCertificate: {
      serial: '5b0c7d3a9e41',
      issuedAt: '2026-11-30T08:15:27.000Z',
      expiresAt: '2027-11-30T08:15:27.000Z',
      revokedAt: null,
    },
    MetadataKey: ECU.publicKey,
    EcuRegistration: ECU,
    EcuRegistrations: { reason: 'Delivered by the plant' },
    EcuReplacement: { serial: 'HU-5822', hardwareId: 'hw-hu-b', reason: 'Display broken' },
    Ecu: {
      ...ECU,
      keyId: KEY_ID,
      registeredAt: '2026-03-16T08:12:57.301Z',
      reportedAt: '2026-12-01T22:01:30.000Z',
      installed: null,
      ordered: ECU_IMAGE,
      isDue: true,
      standing: 'pending',
    },
    VehicleEcus: { manifestAt: '2026-12-01T22:01:31.455Z', refused: null },
    DirectorOrder: { blocked: null, later: [] },
    DirectorFile: { version: 3, expires: '2026-12-08T22:01:31Z' },
    StoredManifest: { acceptedAt: '2026-12-01T22:01:31.455Z' },
    SignedFile: {
      signatures: [{ keyid: KEY_ID, sig: SIGNATURE }],
      signed: {
        _type: 'timestamp',
        spec_version: '1.0.0',
        version: 3,
        expires: '2026-12-02T22:01:31Z',
        meta: { 'snapshot.json': { version: 3 } },
      },
    },
    TimeRequest: { nonces: ['b30a20108908a85f0b15bc4abe18eb0c'] },
    AttackReport: {
      id: 12,
      serial: ECU.serial,
      attack: 'rollback',
      reason: 'the version of timestamp fell from 3 to 2',
      firstAt: '2026-12-01T22:01:31.455Z',
      lastAt: '2026-12-01T22:31:30.012Z',
      count: 2,
    },

    // Image repository
    ImageRepositoryStatus: {
      isTrial: false,
      onlineKeys: 'signer',
      faults: [],
      difference: [
        'targets: version 7 → 8',
        '  expires 2027-05-19T08:00:00Z → 2027-05-26T08:00:00Z',
        `  + artifacts/${IMAGE_SHA256}`,
      ],
      attention: [],
    },
    DeliveryOutcome: {
      state: 'incomplete',
      roles: [{ role: 'supplier-hu', version: 5 }],
      missing: [
        {
          role: 'supplier-hu',
          path: 'suppliers/hu/hu-1.4.0.img',
          sha256: IMAGE_SHA256,
          length: ARTIFACT.size,
        },
      ],
    },
    Delivery: {
      roles: {
        'supplier-hu': {
          signatures: [{ keyid: KEY_ID, sig: SIGNATURE }],
          signed: {
            _type: 'targets',
            spec_version: '1.0.0',
            version: 5,
            expires: '2027-05-26T08:00:00Z',
            targets: {
              'suppliers/hu/hu-1.4.0.img': {
                length: ARTIFACT.size,
                hashes: { sha256: IMAGE_SHA256 },
                custom: { hardwareIds: ['hw-hu-a'], releaseCounter: 14 },
              },
            },
          },
        },
      },
    },

    // Events and notifications
    ReceivedEvent: COMMON_FACTS.schemas.CallbackEvent ?? {},
    ReceivedMessage: { time: FAILED_AT + 2_000 },
    ReceivedEvents: { stored: 1, duplicates: 0, refused: 0 },
    RefusedEvent: {
      id: '0c4f2a86-9d1e-4b7a-8e35-f6b2c8d70a19',
      refusedAt: '2026-12-01T22:03:12.301Z',
      reason: 'INVALID_EVENT',
      path: '/timestamp',
      detail: 'must be integer',
      event: JSON.stringify({
        'event-id': COMMON_FACTS.members['event-id'],
        'ref-id': REF_ID,
        vin: VIN,
        status: 3,
        'status-name': 'downloading',
        timestamp: '22:03',
      }),
      replayedAt: null,
    },
    RefusedEventFilter: {
      vin: undefined,
      from: '2026-12-01T22:00:00Z',
      to: '2026-12-01T23:00:00Z',
      reason: 'INVALID_EVENT',
    },
    NotificationRule: RULE,
    NotificationRuleWithSecret: {
      ...RULE,
      secret: 'whsec_LXvPLjjGE3jBMzwolpQAulPAfe27M/wjbxBUU0OMQZY=',
    },
    NotificationRuleChange: { enabled: false },
    Notification: {
      id: 'msg_01a233a6c1f07e1b8d35c2a94f70be61',
      event: 'hold',
      at: FAILURE_RECEIVED,
      summary: 'schedule 0909 is held: 1 of 2 exposed vehicles has failed',
      rule: RULE.name,
      channel: RULE.channel,
      tries: 1,
      deliveredAt: timeText(FAILED_AT + 2_400),
      nextTryAt: null,
      failure: null,
    },
  },
};
