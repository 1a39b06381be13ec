/**
 * The one table of states: every state that a vehicle can have in an operation or in a schedule, and everything that our
 * programs conclude from it (contract section 5). Pure data; all else derives from it.
 */

/** As the console shows them, in the order of an update’s life. */
export const STATE_GROUPS = [
  'waiting',
  'sent',
  'reached',
  'consent',
  'download',
  'install',
  'success',
  'failed',
  'rolled-back',
  'declined',
  'unsent',
] as const;
/** One of {@link STATE_GROUPS}. */
export type StateGroup = (typeof STATE_GROUPS)[number];

/**
 * Result of a finished vehicle (contract sections 5.5 and 10). `failed-so-far`: it has failed, and a later event moves it
 * on. `withdrawn`: a person declined the update.
 */
export type UpdateResult = 'succeeded' | 'failed' | 'failed-so-far' | 'withdrawn';

interface EventStatusFacts {
  /** On the wire: the OTA Event Enum of the seed. */
  readonly value: number;
  /**
   * Position in an update’s life: of two events with equal times, the one with the higher rank is the newer (contract section
   * 5.2). A new status gets a rank between those of its neighbours; ranks that are stored keep their meaning.
   */
  readonly rank: number;
  /** Number of its bit in `deliveries.reached`, 0 to 30: never changed, and never used again for another status. */
  readonly bit: number;
  readonly group: StateGroup;
  /** Present in those that finish a vehicle. */
  readonly result?: UpdateResult;
  /** It interrupts the update: the vehicle keeps the state before it (contract section 5.4). */
  readonly interrupts?: true;
  /** It may come before consent as well as after it: of a script that cannot be fetched or verified. */
  readonly mayPrecedeConsent?: true;
  /** A failure after which the vehicle runs nothing that could retry. */
  readonly cannotRetry?: true;
}

/** Statuses that a vehicle can report, by name, in the order of the seed’s enum. */
export const EVENT_STATUSES = {
  received: { value: 1, rank: 100, bit: 0, group: 'reached' },
  cancel: { value: 2, rank: 1400, bit: 1, group: 'declined', result: 'withdrawn' },
  downloading: { value: 3, rank: 400, bit: 2, group: 'download' },
  downloaded: { value: 4, rank: 800, bit: 3, group: 'install' },
  reboot: { value: 5, rank: 1300, bit: 4, group: 'install' },
  success: { value: 6, rank: 1800, bit: 5, group: 'success', result: 'succeeded' },
  failure: {
    value: 7,
    rank: 1500,
    bit: 6,
    group: 'failed',
    result: 'failed-so-far',
    mayPrecedeConsent: true,
  },
  download_fail: { value: 8, rank: 700, bit: 7, group: 'failed', result: 'failed-so-far' },
  md5_check_success: { value: 9, rank: 1000, bit: 8, group: 'install' },
  md5_check_fail: { value: 10, rank: 900, bit: 9, group: 'failed', result: 'failed-so-far' },
  pki_check_success: { value: 11, rank: 1200, bit: 10, group: 'install', mayPrecedeConsent: true },
  pki_check_fail: {
    value: 12,
    rank: 1100,
    bit: 11,
    group: 'failed',
    result: 'failed-so-far',
    mayPrecedeConsent: true,
  },
  rollback_success: { value: 13, rank: 1700, bit: 12, group: 'rolled-back', result: 'failed' },
  rollback_fail: {
    value: 14,
    rank: 1600,
    bit: 13,
    group: 'failed',
    result: 'failed',
    cannotRetry: true,
  },
  pause: { value: 15, rank: 500, bit: 14, group: 'reached', interrupts: true },
  resume: { value: 16, rank: 600, bit: 15, group: 'reached', interrupts: true },
  consent_accepted: { value: 100, rank: 200, bit: 16, group: 'consent' },
  consent_rejected: { value: 101, rank: 300, bit: 17, group: 'declined', result: 'withdrawn' },
} as const satisfies Readonly<Record<string, EventStatusFacts>>;

/** Of a status outside the enum, `unknown(<number>)`: the vehicle is doing something that we have no name for. */
export const UNKNOWN_STATUS = {
  rank: 0,
  group: 'install',
} as const satisfies Partial<EventStatusFacts>;

interface DeliveryStateFacts {
  readonly group: StateGroup;
  /** Whether the trigger has gone out. */
  readonly isSent: boolean;
  /** Whether nothing more happens by itself: no trigger will be sent, and no answer is awaited. */
  readonly hasEnded: boolean;
}

/** How far the trigger of a vehicle has come at the adapter, before any event (contract section 5.1). */
export const DELIVERIES = {
  pending: { group: 'waiting', isSent: false, hasEnded: false },
  sent: { group: 'sent', isSent: true, hasEnded: false },
  acknowledged: { group: 'reached', isSent: true, hasEnded: false },
  // Sent as soon as the vehicle is registered (contract section 4).
  device_not_found: { group: 'unsent', isSent: false, hasEnded: false },
  expired: { group: 'unsent', isSent: false, hasEnded: true },
  cancelled: { group: 'unsent', isSent: false, hasEnded: true },
  // Every send that it was allowed has gone out, and none was acknowledged.
  undelivered: { group: 'unsent', isSent: true, hasEnded: true },
} as const satisfies Readonly<Record<string, DeliveryStateFacts>>;

/** Where a vehicle stands in a schedule of the CarOTA Server until the adapter has reported on it. */
export const PLANNED_STATES = {
  waiting: { group: 'waiting', isSent: false, hasEnded: false },
  triggered: { group: 'sent', isSent: true, hasEnded: false },
} as const satisfies Readonly<Record<string, DeliveryStateFacts>>;
