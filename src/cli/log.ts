/** The log of a service: one JSON line per entry on standard error, without secrets. */
import pino, { type Logger, type SerializedError } from 'pino';

/** Fields that logged objects may contain; their values are never written. */
const SECRET = ['token', 'secret', 'credential', 'password', 'authorization-token'];

export function serviceLog(level: string): Logger {
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: loggedError },
      redact: {
        paths: SECRET.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
        censor: '[secret]',
      },
    },
    pino.destination(2),
  );
  logWarnings(log);
  return log;
}

/** The warnings of Node.js become entries of the log; otherwise they stand between its lines, or in a live view. */
export function logWarnings(log: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', (err) => {
    log.warn({ err }, 'a warning of Node.js');
  });
}

/**
 * What a log says of an error, with the stacks of its causes. Not its other members: libraries hang connections, requests
 * and settings on their errors, and with them passwords.
 */
function loggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack, code } = pino.stdSerializers.err(error) as SerializedError & {
    readonly code?: unknown;
  };
  return { type, message, ...(code === undefined ? {} : { code }), stack };
}
