/** The events of a campaign, one after another, as cheap to make as can be. */
import { EVENT_STATUS, encodeMessage, otaEvent, cloudMessageId } from '../contract/index.js';

export interface TriggeredVehicle {
  readonly vin: string;
  readonly systemId: string;
  readonly triggerId: string;
}

export interface Published {
  readonly topic: string;
  readonly payload: string;
}

/** The reports of each vehicle, in order; repeated from the start. */
const STATUSES = [
  'received',
  'consent_accepted',
  'downloading',
  'downloading',
  'downloading',
  'downloading',
  'downloaded',
  'md5_check_success',
  'pki_check_success',
  'reboot',
  'success',
] as const;

const MARK = '\u00a7';

/**
 * Event number n of a fleet: all vehicles report their first event, then all their second, and so on. The constant part is
 * built once; only the rest is filled in.
 */
export function eventSource(
  vehicles: readonly TriggeredVehicle[],
  refId: string,
  run: string,
  topicPrefix = 'd2c/',
): (n: number) => Published {
  const start = Date.now();
  const templates = new Map<number, string[]>();
  const templateOf = (round: number) => {
    let parts = templates.get(round);
    if (!parts) {
      const status = STATUSES[round % STATUSES.length] ?? 'received';
      const time = start + round;
      const message = otaEvent(
        {
          messageId: MARK,
          correlationId: MARK,
          systemId: MARK,
          vin: MARK,
          deviceId: 'device1234',
          ecuType: 'TCU',
          time,
        },
        {
          device_id: 'device1234',
          device_type: 'TCU',
          status: EVENT_STATUS[status],
          meta: [{ key: 'download', value: '40%' }],
          timestamp: time,
          'ref-id': refId,
        },
      );
      parts = encodeMessage(message).toString().split(MARK);
      templates.set(round, parts);
    }
    return parts;
  };
  return (n) => {
    const vehicle = vehicles[n % vehicles.length];
    if (!vehicle) throw new Error('there are no vehicles');
    const [a = '', b = '', c = '', d = '', e = ''] = templateOf(Math.floor(n / vehicles.length));
    const { vin, systemId, triggerId } = vehicle;
    const payload = `${a}msg-dev-${run}-${n}${b}${cloudMessageId(triggerId)}${c}${systemId}${d}${vin}${e}`;
    return { topic: topicPrefix + systemId, payload };
  };
}
