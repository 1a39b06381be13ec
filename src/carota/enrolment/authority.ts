/** The issuer of the vehicles' client certificates. */

/** The verified part of a vehicle's request; nothing else of it goes into the certificate. */
export interface CheckedRequest {
  readonly systemId: string;
  /** SubjectPublicKeyInfo, in DER. */
  readonly publicKeyInfo: Uint8Array;
  /** The request as received (PKCS #10), in DER. */
  readonly request: Uint8Array;
}

export interface CertificateAuthority {
  /** Certificates of the authority, its own first, in DER. */
  readonly chain: readonly Uint8Array[];
  /** @returns the certificate, in DER @throws AuthorityUnavailable */
  issue(request: CheckedRequest): Promise<Uint8Array>;
  /** Receives the revoked ones of the certificates it has issued. Called again whenever there are more. */
  publishRevoked?(
    revocations: readonly { readonly serial: string; readonly at: number }[],
  ): Promise<void>;
}

/** The authority has issued nothing; a retry may succeed. */
export class AuthorityUnavailable extends Error {
  override readonly name = 'AuthorityUnavailable';
}
