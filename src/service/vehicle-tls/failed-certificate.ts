/** A failed sign-in with a certificate, as recorded in the audit log. */
import { type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { clientAddress } from '../limits/index.js';

export interface FailedCertificate {
  readonly kind: 'certificate';
  readonly address: string;
  /** The vehicle that the certificate names, trusted or not. */
  readonly name?: string;
}

export function failedCertificate(socket: Socket): FailedCertificate {
  const address = clientAddress(socket.remoteAddress);
  const name = subjectAt(socket);
  return { kind: 'certificate', address, ...(name === undefined ? {} : { name }) };
}

/** A stranger's certificate may contain anything, even be unreadable. */
function subjectAt(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  try {
    return socket.getPeerX509Certificate()?.subject.replaceAll('\n', ', ');
  } catch {
    return undefined;
  }
}
