/** When the certificate of a server expires, as a client sees it. */
import { connect } from 'node:tls';

export interface PeerCertificate {
  /** ms */
  readonly expires: number;
  /** Why a client refuses it; undefined: it is trusted. */
  readonly fault: string | undefined;
}

/**
 * @param ca see `trustedAuthorities`
 * @param timeoutMs without progress
 * @throws Error if the peer does not speak TLS
 */
export function peerCertificate(
  url: URL,
  ca: string[] | undefined,
  timeoutMs: number,
): Promise<PeerCertificate> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      // RFC 6066, section 3: addresses are no server names.
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      ca,
      // Its expiry is of interest above all when it is refused.
      rejectUnauthorized: false,
    });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('does not answer in time')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { valid_to } = socket.getPeerCertificate();
      const { authorizationError } = socket;
      const fault = socket.authorized ? undefined : String(authorizationError);
      socket.destroy();
      resolve({ expires: Date.parse(valid_to), fault });
    });
  });
}
