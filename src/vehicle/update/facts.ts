/** What an update remembers between phases and across restarts. */
import { type MetaField } from '../../contract/index.js';
import { type UpdateScript } from '../../update-script/index.js';
import { type VerifiedImage } from './equipment.js';

/** The trigger of an update. */
export interface TakenTrigger {
  readonly messageId: string;
  readonly refId: string;
  readonly scriptRefId: string;
  readonly traceParent?: string | undefined;
}

/** What an update needs to remember across a restart. */
export interface UpdateFacts {
  /** The verified script. */
  readonly script?: UpdateScript;
  /** The images it installs, described by verified metadata. */
  readonly images?: readonly VerifiedImage[];
  /** The conditions as determined when they were last met, in the form in which they are reported. */
  readonly conditionsFound?: readonly MetaField[];
  /** When this phase started to wait, ms. */
  readonly since?: number;
  /** The user has paused it. */
  readonly paused?: boolean;
  /** The boot in which a restart was requested; a different boot means that it has happened. */
  readonly restartedFrom?: string;
  /** How often the new software was started without completing its check. */
  readonly starts?: number;
  /** The new software has passed its health check and is kept in any case. */
  readonly proved?: boolean;
  /** Slots may have been switched. */
  readonly activated?: boolean;
  /** Reason of the failure, for later events. */
  readonly reason?: string;
}

/** Facts that are replaced; null removes one. */
export type ChangedFacts = { readonly [Name in keyof UpdateFacts]?: UpdateFacts[Name] | null };
