/**
 * Logs messages with operation, VIN and message id. A message that cannot be applied is a warning; applied messages and
 * triggers are logged at level debug, as there are 30,000 per second at full load.
 */
import { type Logger } from 'pino';
import { type SendOutcome } from './c2d-sender/index.js';
import { type BatchRow } from './d2c-receiver/index.js';

export function logMessage(log: Logger, row: BatchRow): void {
  if (row.kind === 'refused') {
    const { vin, systemId, messageId, refusal } = row;
    const { status, reason, path } = refusal;
    log.warn({ vin, systemId, messageId, status, reason, path }, 'message kept as a dead letter');
    return;
  }
  if (!log.isLevelEnabled('debug')) return;
  const { refId: operation, vin, messageId, correlationId, statusName: status } = row;
  log.debug({ operation, vin, messageId, correlationId, status }, `stored: ${row.kind}`);
}

export function logSends(log: Logger, outcomes: readonly SendOutcome[]): void {
  if (!log.isLevelEnabled('debug')) return;
  for (const { refId: operation, vin, messageId, outcome } of outcomes) {
    log.debug({ operation, vin, messageId, outcome }, 'OTA_TRIGGER');
  }
}
