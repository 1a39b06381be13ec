/** The vehicle's identity over TLS, for the broker and the CarOTA Server: a client certificate, which may change. */

/** PEM. */
export interface TlsMaterial {
  /** CAs to trust besides the well-known ones; undefined: none. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The TLS options for new connections. */
export class ClientTls {
  #material: TlsMaterial;
  readonly #onChange = new Set<() => void>();

  constructor(material: TlsMaterial) {
    this.#material = material;
  }

  /** The given or renewed certificate. */
  get material(): TlsMaterial {
    return this.#material;
  }

  /** Whether there is a client certificate. */
  get hasCertificate(): boolean {
    return this.#material.cert !== undefined;
  }

  /** Options for `node:https` and `node:tls`, without undefined ones. */
  get options(): Partial<Record<'ca' | 'cert' | 'key', string>> {
    const { ca, cert, key } = this.#material;
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  }

  /** Sets another certificate with its key; the listeners reconnect. */
  renew(certificate: { readonly cert: string; readonly key: string }): void {
    this.#material = { ...this.#material, ...certificate };
    for (const listener of this.#onChange) listener();
  }

  /** @returns a function that stops listening */
  onChange(listener: () => void): () => void {
    this.#onChange.add(listener);
    return () => this.#onChange.delete(listener);
  }
}
