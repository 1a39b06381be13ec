/** What an update has to remember from phase to phase, over restarts. */
import { type UpdateScript } from '../../update-script/index.js';

/** The trigger that an update is done for. */
export interface TakenTrigger {
  readonly messageId: string;
  readonly refId: string;
  readonly scriptRefId: string;
  readonly traceParent?: string | undefined;
}

/** What an update needs to remember over a restart. */
export interface UpdateFacts {
  /** Verified. */
  readonly script?: UpdateScript;
  /** When this phase began to wait for something, ms. */
  readonly since?: number;
  /** The user has paused it. */
  readonly paused?: boolean;
  /** The boot during which a restart was asked for: in another one it has happened. */
  readonly restartedFrom?: string;
  /** How often the new software was started without coming to an end of its check. */
  readonly starts?: number;
  /** The new software has proved its health: it is kept, whatever comes. */
  readonly proved?: boolean;
  /** Slots may have been changed over. */
  readonly activated?: boolean;
  /** Why it has failed, for the events that follow. */
  readonly reason?: string;
}

/** Facts that are replaced; null removes one. */
export type ChangedFacts = { readonly [Name in keyof UpdateFacts]?: UpdateFacts[Name] | null };
