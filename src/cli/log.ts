/** The log of a service: a line of JSON for each entry on the standard error, never with a secret. */
import pino, { type Logger } from 'pino';

/** Fields that an object may bring along; whatever they hold is not written. */
const SECRET = ['token', 'secret', 'credential', 'password', 'authorization-token'];

export function serviceLog(level: string): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
        censor: '[secret]',
      },
    },
    pino.destination(2),
  );
}
