/** The audit log as syslog messages (RFC 5424). Pure. */

import { type CopiedLine, type CopySender } from './copied-line.js';

/** Facility 13, log audit (RFC 5424, table 1). */
const FACILITY = 13;
const SEVERITY = { done: 6, refused: 4, failed: 4 } as const;

/** @returns without framing */
export function syslogMessage(
  { at, outcome, kind, text }: Omit<CopiedLine, 'facts'>,
  { hostname, log, pid }: CopySender,
): Buffer {
  const priority = FACILITY * 8 + SEVERITY[outcome];
  const header = [
    `<${priority}>1`,
    new Date(at).toISOString(),
    name(hostname, 255),
    name(`otaops-${log}`, 48),
    pid,
    name(kind, 32),
    '-',
  ].join(' ');
  return Buffer.from(`${header} ${text}`);
}

/** PRINTUSASCII (RFC 5424, section 6). */
const name = (text: string, longest: number) =>
  text.replaceAll(/[^\u0021-\u007e]/g, '?').slice(0, longest) || '-';

/** Octet counting (RFC 6587, section 3.4.1; RFC 5425, section 4.3). */
export const framed = (message: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${message.length} `), message]);
