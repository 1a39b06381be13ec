/** What the OTA Adapter's HTTP interface answers, as far as it is shown; see `/docs` there. */

export type States = Readonly<Record<string, number>>;

export interface TriggerRate {
  readonly perSecond: number;
  readonly factor?: number;
  readonly after?: number;
  readonly of?: 'notified' | 'succeeded';
  readonly atMost?: number;
}

export interface Operation {
  readonly 'ref-id': string;
  readonly model: string;
  readonly 'script-ref-id': string;
  readonly status: 'active' | 'paused' | 'cancelled' | 'finished';
  readonly scheduledAt: string;
  readonly createdAt: string;
  readonly priority: number;
  readonly rate: TriggerRate | null;
  /** Seconds, -1 = never. */
  readonly ttl: number;
  readonly ackRequired: boolean;
  readonly vehicles: number;
  readonly states: States;
  readonly paused: number;
  readonly finished: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly open: number;
  readonly finishedPerMinute: number;
}

export interface Summary {
  readonly at: string;
  readonly states: States;
  readonly funnel: readonly { readonly stage: string; readonly vehicles: number }[];
  readonly failureReasons: readonly FailureReason[];
  readonly phases: readonly Phase[];
  readonly sampledVehicles: number;
  readonly sends: number;
  readonly estimate: {
    readonly finishedPerMinute: number;
    readonly windowSeconds: number;
    readonly completionAt: string | null;
  };
}

export interface FailureReason {
  readonly state: string;
  readonly reason: string;
  readonly vehicles: number;
}

/** Durations in seconds. */
export interface Phase {
  readonly phase: string;
  readonly vehicles: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface Sample {
  readonly at: string;
  readonly states: States;
}

export interface VehicleState {
  readonly vin: string;
  readonly state: string;
  readonly paused: boolean;
  readonly delivery: string;
  readonly attempt: number;
  readonly reason: string | null;
  readonly sends: number;
  readonly triggeredAt: string;
  readonly lastSentAt: string | null;
  readonly acknowledgedAt: string | null;
  readonly eventAt: string | null;
  readonly updatedAt: string;
}

export type VehicleInOperation = VehicleState & { readonly 'ref-id': string };

export interface Vehicle {
  readonly vin: string;
  readonly registration: RegisteredVehicle | null;
  readonly operations: readonly VehicleInOperation[];
  readonly installed: readonly {
    readonly ecu: string;
    readonly version: string;
    readonly 'ref-id': string;
    readonly at: string;
  }[];
}

export interface RegisteredVehicle {
  readonly vin: string;
  readonly system_id: string;
  readonly device_id: string;
  readonly ecu_type: string;
  readonly model: string;
  readonly registeredAt: string;
  readonly updatedAt: string;
}

export interface TimelineEntry {
  readonly kind: 'delivery' | 'ack' | 'event' | 'control';
  /** By the adapter's clock. */
  readonly at: string;
  /** By the vehicle's clock. */
  readonly vehicleAt?: string;
  readonly attempt: number | null;
  readonly what?: string;
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly messageId?: string;
  readonly statusName?: string | null;
  readonly meta?: readonly { readonly key: string; readonly value: string }[];
  readonly callbacks?: readonly {
    readonly receiver: string;
    readonly settledAt: string | null;
    readonly tries: number;
  }[];
  readonly action?: string;
  readonly by?: string;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly tokenName: string;
  readonly action: string;
  readonly 'ref-id': string | null;
  readonly vin: string | null;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface DeadLetter {
  readonly id: string;
  readonly receivedAt: string;
  readonly topic: string;
  readonly system_id: string | null;
  readonly vin: string | null;
  readonly messageId: string | null;
  readonly status: 'INVALID' | 'EXPIRED' | 'DEVICE_NOT_FOUND';
  readonly reason: string;
  readonly path: string;
  readonly detail: string;
  /** Base64. */
  readonly payload: string;
  readonly payloadBytes: number;
  readonly replayedAt: string | null;
}

export interface Receiver {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly behind: number;
  readonly behindSince: string | null;
  readonly failures: number;
  readonly failure: string | null;
  readonly failedAt: string | null;
  readonly nextTryAt: string | null;
  readonly settledAt: string | null;
}

export interface Health {
  readonly at: string;
  readonly database: {
    readonly server: string;
    readonly bytes: number;
    /** ms */
    readonly answeredIn: number;
  };
  readonly adapters: readonly {
    readonly instance: string;
    readonly version: string;
    readonly startedAt: string;
    readonly seenAt: string;
    readonly alive: boolean;
    readonly broker: string;
    readonly connected: boolean;
    readonly waiting: number;
    /** A second. */
    readonly received: number;
    readonly triggered: number;
  }[];
  readonly messages: {
    readonly received: number;
    readonly applied: number;
    readonly duplicates: number;
    readonly deadLetters: number;
  };
  readonly sending: {
    readonly operations: number;
    readonly overdueSeconds: number;
    readonly triggersPerSecond: number | null;
  };
  readonly callbacks: readonly Receiver[];
}

/** What came of a file of vehicles. */
export interface Imported {
  readonly created: number;
  readonly updated: number;
  readonly rejectedCount: number;
  readonly rejected: readonly {
    readonly line: number;
    readonly errorCode: string;
    readonly errorMessage: string;
  }[];
}
