/**
 * Renews the timestamp before it expires, copies published files to the bucket, and reports the expiry of each role to the
 * metrics.
 */
import { type Logger } from 'pino';
import { RepositoryFault } from '../../uptane/repository/index.js';
import { type CarotaMetrics } from '../metrics.js';
import { type ServedRepository } from './image-repository.js';

const PERIOD_MS = 5 * 60 * 1000;

/** Starts immediately. */
export function keepFresh(
  repository: ServedRepository,
  metrics: CarotaMetrics,
  log: Logger,
): { stop(): Promise<void> } {
  const look = async () => {
    try {
      await repository.refreshIfDue();
      for (const { role, expires } of (await repository.status()).published) {
        metrics.imageMetadataExpires(role, Date.parse(expires) / 1000);
      }
    } catch (error) {
      // People may not have established the repository in the folder yet.
      if (error instanceof RepositoryFault) log.warn({ reason: error.message }, 'image repository');
      else log.error({ err: error }, 'the image repository could not be refreshed');
    }
  };
  const mirror = () =>
    repository
      .mirror()
      .catch((error: unknown) =>
        log.error({ err: error }, 'the image repository could not be copied'),
      );
  let running = look().then(mirror);
  const timer = setInterval(() => {
    running = running.then(look).then(mirror);
  }, PERIOD_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return running;
    },
  };
}
