/** What the CarOTA Server's HTTP interface answers, as far as it is shown; see `/docs` there. */
import { type States, type TriggerRate } from './adapter.js';

export interface Artifact {
  readonly sha256: string;
  readonly md5: string;
  readonly size: number;
  readonly name: string;
  readonly createdAt: string;
  readonly url: string;
}

export interface EcuUpdate {
  readonly ecu: string;
  readonly version: string;
  readonly artifact: { readonly sha256: string; readonly md5: string; readonly size: number };
  readonly from?: readonly string[];
  readonly after?: readonly string[];
}

export interface DailyWindow {
  readonly from: string;
  readonly to: string;
}

export interface UpdateScript {
  readonly version: 'v1';
  readonly 'script-ref-id': string;
  readonly model: string;
  readonly ecus: readonly EcuUpdate[];
  readonly consent?: { readonly text: string; readonly timeout?: number };
  readonly preconditions?: {
    readonly battery?: number;
    readonly gear?: 'park';
    readonly ignition?: 'on' | 'off';
    readonly timeout?: number;
  };
  readonly window?: DailyWindow;
  readonly rollback?: boolean;
  readonly downgrade?: boolean;
}

export interface StoredScript {
  readonly script: UpdateScript;
  readonly createdAt: string;
}

export interface WavePlan {
  readonly vehicles?: number;
  readonly percent?: number;
  readonly vins?: readonly string[];
}

export interface GuardPlan {
  readonly test?: {
    readonly tolerated: number;
    readonly intolerable: number;
    readonly falseStop: number;
    readonly missedStop: number;
  };
  readonly maxFailures?: number;
  readonly maxRollbackFailures?: number;
  readonly undecided?: 'hold' | 'continue';
  readonly patience?: number;
}

export interface SchedulePlan {
  readonly 'ref-id': string;
  readonly 'script-ref-id': string;
  readonly model: string;
  readonly vins?: readonly string[];
  readonly filter?: {
    readonly tags?: readonly string[];
    readonly ecu?: string;
    readonly versions?: readonly string[];
  };
  readonly start?: string;
  readonly stop?: string;
  readonly timeZone?: string;
  readonly windows?: readonly DailyWindow[];
  readonly waves?: readonly WavePlan[];
  readonly pause?: number;
  readonly guard?: GuardPlan;
  readonly dispatch?: {
    readonly priority?: number;
    readonly rate?: TriggerRate;
    readonly ttl?: number;
    readonly ack_required?: 0 | 1;
  };
}

export type ScheduleStatus =
  'proposed' | 'planned' | 'running' | 'paused' | 'held' | 'stopped' | 'completed';

export interface Schedule {
  readonly 'ref-id': string;
  readonly 'script-ref-id': string;
  readonly model: string;
  readonly status: ScheduleStatus;
  readonly reason: string;
  readonly plan: SchedulePlan;
  readonly createdAt: string;
  readonly approvedAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

export interface Wave {
  readonly number: number;
  readonly state: string;
  readonly vehicles: number;
  readonly rejected: number;
  readonly finished: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly rollbackFailed: number;
  readonly postedAt: string | null;
  readonly passedAt: string | null;
}

export interface Decision {
  readonly at: string;
  readonly wave: number | null;
  readonly decision: string;
  readonly reason: string;
  readonly actor: string;
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface GuardTest {
  readonly stopAt: number;
  readonly goAt: number;
  readonly path: readonly {
    readonly at: string;
    readonly fromWave: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly evidence: number;
  }[];
}

export type WholeSchedule = Schedule & {
  readonly states: States;
  readonly waves: readonly Wave[];
  readonly decisions: readonly Decision[];
  readonly guardTest: GuardTest | null;
};

export interface ScheduleVehicle {
  readonly vin: string;
  readonly wave: number;
  readonly state: string;
  readonly reason: string | null;
}

export interface SchedulePreview {
  readonly vehicles: number;
  readonly unknown: number;
  readonly waves: readonly {
    readonly number: number;
    readonly vehicles: number;
    readonly vins: readonly string[];
    readonly earliest: string | null;
  }[];
  readonly versions: readonly {
    readonly ecu: string;
    readonly version: string | null;
    readonly vehicles: number;
    readonly accepted: boolean | null;
  }[];
}

export interface KnownVehicle {
  readonly vin: string;
  readonly model: string;
  readonly tags: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  readonly updatedAt: string;
}

export interface VehicleEvent {
  readonly 'event-id': string;
  readonly 'ref-id': string;
  readonly 'status-name': string;
  readonly meta: readonly { readonly key: string; readonly value: string }[];
  /** By the vehicle's clock. */
  readonly at: string;
  readonly receivedAt: string;
}

export type WholeKnownVehicle = KnownVehicle & { readonly events: readonly VehicleEvent[] };

export interface CarotaImported {
  readonly imported: number;
  readonly rejectedCount: number;
  readonly rejected: readonly { readonly line: number; readonly message: string }[];
}

export interface RefusedEvent {
  readonly id: string;
  readonly refusedAt: string;
  readonly 'event-id': string | null;
  readonly 'ref-id': string | null;
  readonly vin: string | null;
  readonly reason: 'INVALID_EVENT' | 'REFUSED_BY_DATABASE' | 'NOT_APPLIED';
  readonly path: string;
  readonly detail: string;
  /** JSON text as it came. */
  readonly event: string;
  readonly replayedAt: string | null;
}
