/** A sign-in with a certificate that failed, as the audit log has it. */
import { type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { clientAddress } from '../limits/index.js';

export interface FailedCertificate {
  readonly kind: 'certificate';
  readonly address: string;
  /** Whom the certificate names, trusted or not. */
  readonly name?: string;
}

export function failedCertificate(socket: Socket): FailedCertificate {
  const address = clientAddress(socket.remoteAddress);
  const name = subjectAt(socket);
  return { kind: 'certificate', address, ...(name === undefined ? {} : { name }) };
}

/** A certificate of a stranger may be anything, also one that cannot be read. */
function subjectAt(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  try {
    return socket.getPeerX509Certificate()?.subject.replaceAll('\n', ', ');
  } catch {
    return undefined;
  }
}
