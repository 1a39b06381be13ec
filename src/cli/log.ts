/** The log of a service: one JSON line per entry, without secrets. */
import pino, { type DestinationStream, type Logger, type SerializedError } from 'pino';

/** Fields that logged objects may contain; their values are never written. */
const SECRET = ['token', 'secret', 'credential', 'password', 'authorization-token'];

export function serviceLog(
  level: string,
  destination: DestinationStream = pino.destination(2),
): Logger {
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
    destination,
  );
  logWarnings(log);
  return log;
}

/** The warnings of Node.js become entries of the log; otherwise they stand between its lines, or in a live view. */
function logWarnings(log: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', (err) => {
    log.warn({ err }, 'a warning of Node.js');
  });
}

/**
 * The loggable part of an error, with the stacks of its causes. Other members are omitted: libraries attach connections,
 * requests and settings to their errors, and with them passwords.
 */
function loggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack, code } = pino.stdSerializers.err(error) as SerializedError & {
    readonly code?: unknown;
  };
  return { type, message, ...(code === undefined ? {} : { code }), stack };
}
