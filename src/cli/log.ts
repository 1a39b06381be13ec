/** The log of a service: one JSON line per entry on standard error, without secrets. */
import pino, { type Logger } from 'pino';

/** Fields that logged objects may contain; their values are never written. */
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
