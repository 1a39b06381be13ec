/**
 * The fictional campaign of every example, in the documents of MQTT and of both HTTP interfaces: the seed's names, with
 * plausible times. A vehicle cannot download; the other one succeeds.
 */

/** When the schedule was triggered, ms. */
export const TRIGGERED_AT = Date.UTC(2026, 11, 1, 22);
/** When the vehicle acknowledged its trigger, ms. */
export const ACKNOWLEDGED_AT = TRIGGERED_AT + 1_207;
/** When its download failed, ms. */
export const FAILED_AT = TRIGGERED_AT + 877_000;

/** RFC 3339. @param ms */
export const timeText = (ms: number): string => new Date(ms).toISOString();

export const REF_ID = 'schedule 0909';
export const SCRIPT_REF_ID = 'hu only 001';
export const MODEL = 'vehicle model a';
/** The vehicle that cannot download. */
export const VIN = '5YJSA1E40FF345678';
/** The vehicle that succeeds. */
export const OTHER_VIN = '5YJSA1E40FF345679';
export const SYSTEM_ID = 'c2c-sys-0001';
export const SUB_SYSTEM_ID = 'c2c-sub-0001';
export const DEVICE_ID = 'device1234';
export const DEVICE_TYPE = 'TCU';
/** A UUID v7 of the time at which the adapter recorded the operation. */
export const TRIGGER_ID = '01a2339f-309c-7c3e-9c1b-6a3f0c2d4e5f';
export const TRIGGER_MESSAGE_ID = `msg-cld-${TRIGGER_ID}`;
export const ACK_MESSAGE_ID = 'msg-dev-0001';
export const EVENT_MESSAGE_ID = 'msg-dev-0002';
/** Of the failed download; see `eventDigest`. */
export const EVENT_ID = 'evt-1b08aad4bd8ce0ce505913365eac550c';
export const META = [
  { key: 'download', value: '40%' },
  { key: 'reason', value: 'Network Failure' },
];
/** The Primary of the vehicle, as it is registered. */
export const ECU = {
  serial: 'HU-4711',
  name: 'OTA-MANAGER',
  hardwareId: 'hw-hu-a',
  publicKey: {
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: '3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0' },
  },
  isPrimary: true,
};
