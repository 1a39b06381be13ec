/** What is so in the campaign of the examples, at both servers. */
import {
  DEVICE_ID,
  DEVICE_TYPE,
  EVENT_ID,
  EVENT_MESSAGE_ID,
  FAILED_AT,
  META,
  MODEL,
  REF_ID,
  SCRIPT_REF_ID,
  SUB_SYSTEM_ID,
  SYSTEM_ID,
  timeText,
  TRIGGER_MESSAGE_ID,
  VIN,
} from '../campaign.js';
import { type Facts } from '../http/example.js';

const YEAR_SECONDS = 31_536_000;
const CHAIN_HASH = '882b6e6f8baf6ee9e20ba404c698705c0b8ac6ddb8e15bf8b611a464ce889b2e';
const SEAL_KEY = {
  keyid: 'f0f668bf610e5cf9f11d2aa50f924ada10797100e8f05de085842ddb6370a867',
  keytype: 'ed25519',
  scheme: 'ed25519',
  public: '3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0',
};
const CREATED_TOKEN = {
  id: '01a19d8a-2b4e-7d16-8f3a-5c0e9b7d1a42',
  token: 'otaops_GnZ0607njffhrEOak8P6jjyUV4TU3sn9jjARc4svHWI',
  expiresAt: '2027-11-02T09:14:03.118Z',
};

export const COMMON_FACTS: Facts = {
  members: {
    vin: VIN,
    'ref-id': REF_ID,
    'script-ref-id': SCRIPT_REF_ID,
    model: MODEL,
    system_id: SYSTEM_ID,
    sub_system_id: SUB_SYSTEM_ID,
    device_id: DEVICE_ID,
    device_type: DEVICE_TYPE,
    ecu_type: DEVICE_TYPE,
    message_id: EVENT_MESSAGE_ID,
    correlation_id: TRIGGER_MESSAGE_ID,
    'event-id': EVENT_ID,
    'status-name': 'download_fail',
    meta: META,
    nextCursor: null,
  },
  schemas: {
    AuditEntry: {
      id: 4_711,
      at: '2026-12-01T21:51:42.306Z',
      tokenId: '019f8c1e-77d0-7a3b-9e52-0d4c6b8a1f37',
      tokenName: 'workshop north',
      address: '192.0.2.17',
      action: 'revoke-certificate',
      outcome: 'done',
      errorCode: null,
      'ref-id': null,
      vin: null,
      subject: '5b0c7d3a9e',
      reason: 'Head unit replaced',
      detail: {},
      position: 4_711,
      hash: CHAIN_HASH,
    },
    AuditSeal: {
      from: 4_602,
      to: 4_711,
      count: 110,
      hash: CHAIN_HASH,
      time: Date.UTC(2026, 11, 2),
      keyid: SEAL_KEY.keyid,
      signature:
        '64e45769624154bbfb17cf9c9fe38d1c356051916fb0ddb2a81c4ec5d99380caf3f49d342da865e2e51139998d4151af58ccb95feaa848c23dcb47947ff5f477',
    },
    SealKey: SEAL_KEY,
    AuditStatus: { position: 4_711, hash: CHAIN_HASH, pending: 0, weaknesses: [] },
    AuditCopy: { name: 'syslog', position: 4_711, behind: 0 },
    AuditVerdict: {
      intact: true,
      entries: 4_711,
      seals: 43,
      sealedTo: 4_711,
      hash: CHAIN_HASH,
      faults: [],
    },
    RevokedCertificate: {
      serial: '5b0c7d3a9e',
      revokedAt: '2026-12-01T21:51:42.306Z',
      revokedBy: 'workshop north',
      reason: 'Head unit replaced',
    },
    Revocation: { reason: 'Head unit replaced' },
    RejectedLine: {
      line: 17,
      errorCode: 'INVALID',
      errorMessage: '/vin must be a VIN: 17 of A-H J-N P R-Z 0-9',
    },
    WithReason: { reason: 'CDN at its limit' },
    ReplayRequest: { limit: 1_000, reason: 'Registration corrected' },
    ReplayResult: { reason: null },
    ReplayTally: { applied: 38, stored: 38, duplicates: 2, refused: 0, more: false },
    SignIn: { token: CREATED_TOKEN.token },
    SignInWays: { singleSignOn: true },
    Session: {
      name: 'Alice Meyer',
      role: 'admin',
      scopes: null,
      version: '0.1.0',
      signedInBy: 'single-sign-on',
    },
    BackChannelLogout: {
      logout_token:
        'eyJhbGciOiJFUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOiJvdGFvcHMiLCJzaWQiOiJhMWIyYzMifQ.Lp3kq0kJ7H1m3nYw4r8sTg',
    },
    EndedSessions: { sessions: 1 },
    Token: {
      id: CREATED_TOKEN.id,
      name: 'plant north',
      role: 'viewer',
      vin: null,
      scopes: [MODEL],
      createdAt: '2026-11-02T09:14:03.118Z',
      revokedAt: null,
      expiresAt: CREATED_TOKEN.expiresAt,
      lastUsedAt: '2026-12-01T22:14:00.000Z',
      replacedBy: null,
    },
    NewToken: {
      name: 'plant north',
      role: 'viewer',
      vin: undefined,
      scopes: [MODEL],
      lifetime: YEAR_SECONDS,
    },
    CreatedToken: CREATED_TOKEN,
    TokenRotation: { overlap: 86_400, lifetime: YEAR_SECONDS },
    RotatedToken: CREATED_TOKEN,
    ReplacedToken: {
      id: '019f0a4d-60c2-7f58-a1b7-93e2d4c5f608',
      expiresAt: '2026-11-03T09:14:03.118Z',
    },
    CallbackEvent: {
      status: 8,
      timestamp: FAILED_AT,
      'received-at': FAILED_AT + 1_105,
    },
    VehicleCount: { vehicles: 2 },
  },
};

/** When the adapter received the report of the failure. */
export const FAILURE_RECEIVED = timeText(FAILED_AT + 1_105);
