/** What a copy of the audit log consists of, and who takes it. */
import { type ServerName } from '../../../contract/index.js';
import { type AuditOutcome } from '../audit.js';

/** An entry or a seal, as a line of an export has it. */
export interface CopiedLine {
  /** ms */
  readonly at: number;
  readonly outcome: AuditOutcome;
  /** The action; of a seal, `seal`. */
  readonly kind: string;
  /** One line of JSON. */
  readonly text: string;
  /** What receivers search by; '' and null: nothing. */
  readonly facts: Readonly<Record<string, string | number | null>>;
}

/** Who sends. */
export interface CopySender {
  readonly log: ServerName;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
}

/** The receiver refuses this batch for good, maybe for one line of it or for its size: to be sent in smaller ones. */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused';
}

export interface CopyTransport {
  /** In the table of copies, and in metrics. */
  readonly name: 'syslog' | 'otlp';
  /**
   * Resolves when the receiver has them, as far as its protocol says. Repeated after any failure.
   *
   * @returns what the receiver has refused for good; undefined: nothing
   * @throws BatchRefused for several lines only
   */
  send(lines: readonly CopiedLine[], sender: CopySender): Promise<Error | undefined>;
  close(): void;
}
