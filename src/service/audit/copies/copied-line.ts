/** The lines of a copy of the audit log, and the interface of its receivers. */
import { type AuditExportEntry, type ServerName } from '../../../contract/index.js';
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
  /** Fields of the entry for receivers to search by; '' and null: none. */
  readonly facts: Readonly<Partial<Record<keyof AuditExportEntry, string | number | null>>>;
}

/** The sender. */
export interface CopySender {
  readonly log: ServerName;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
}

/** The receiver permanently refuses this batch, because of one of its lines or its size: send it in smaller ones. */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused';
}

export interface CopyTransport {
  /** In the table of copies, and in metrics. */
  readonly name: 'syslog' | 'otlp';
  /**
   * Resolves when the receiver has the lines, as far as its protocol confirms it. Repeated after any failure.
   *
   * @returns the permanently refused lines; undefined: none
   * @throws BatchRefused for several lines only
   */
  send(lines: readonly CopiedLine[], sender: CopySender): Promise<Error | undefined>;
  close(): void;
}
