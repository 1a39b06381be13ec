/** Metrics of the copies of the audit log. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface CopyWatch {
  /** Entries not copied yet. */
  readonly onBehind: (copy: string, entries: number) => void;
  readonly onFailed: (copy: string) => void;
}

/** @param registry where the metrics are shown */
export function watchCopy(registry: Registry): CopyWatch {
  const registers = [registry];
  const labelNames = ['copy'] as const;
  const failures = new Counter({
    name: 'otaops_audit_copy_failures_total',
    help: 'Failed attempts of this process to copy the audit log to a receiver; all are retried.',
    labelNames,
    registers,
  });
  const behind = new Gauge({
    name: 'otaops_audit_copy_behind',
    help: 'Entries of the audit log not copied to a receiver yet.',
    labelNames,
    registers,
  });
  return {
    onBehind: (copy, entries) => behind.set({ copy }, entries),
    onFailed: (copy) => failures.inc({ copy }),
  };
}
