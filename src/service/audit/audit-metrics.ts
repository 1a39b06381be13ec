/** How the copy of the audit log fares, as metrics. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface CopyWatch {
  /** Entries that were not copied yet. */
  readonly onBehind: (entries: number) => void;
  readonly onFailed: () => void;
}

/** @param registry where the metrics are shown */
export function watchCopy(registry: Registry): CopyWatch {
  const registers = [registry];
  const failures = new Counter({
    name: 'otaops_audit_copy_failures_total',
    help: 'Failed attempts of this process to copy the audit log to syslog; all are retried.',
    registers,
  });
  const behind = new Gauge({
    name: 'otaops_audit_copy_behind',
    help: 'Entries of the audit log that were not copied to syslog yet.',
    registers,
  });
  return { onBehind: (entries) => behind.set(entries), onFailed: () => failures.inc() };
}
