/** Failed sign-ins as metrics, for alerts, and in the log. */
import { Counter, type Registry } from 'prom-client';
import { type Logger } from 'pino';
import { type SignInGuardOptions } from './sign-in-guard.js';

/** Waits of at least this length are logged, ms: shorter ones precede them. */
const LOGGED_MS = 8_000;

type Watching = Pick<SignInGuardOptions, 'onFailed' | 'onLockOut' | 'onProblem'>;

/** @param registry where the metrics are shown */
export function watchSignIns(registry: Registry, log: Logger): Watching {
  const registers = [registry];
  const failed = new Counter({
    name: 'otaops_failed_sign_ins_total',
    help: 'Wrong tokens, sessions and credentials presented to this process.',
    labelNames: ['kind'],
    registers,
  });
  const lockOuts = new Counter({
    name: 'otaops_sign_in_lock_outs_total',
    help: 'How often an address, or a name at an address, has had to wait after a wrong secret.',
    labelNames: ['kind'],
    registers,
  });
  return {
    onFailed: ({ kind }) => failed.inc({ kind }),
    onLockOut: ({ kind, address, name }, waitMs) => {
      lockOuts.inc({ kind });
      if (waitMs < LOGGED_MS) return;
      log.warn({ kind, address, name, waitSeconds: waitMs / 1000 }, 'someone is guessing secrets');
    },
    onProblem: (error) =>
      log.error({ err: error }, 'failed sign-ins could not be shared; retrying'),
  };
}
