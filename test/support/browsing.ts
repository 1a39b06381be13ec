/** Follows addresses and keeps cookies like a browser, one step at a time. */
export interface Visited {
  readonly status: number;
  /** Target of a redirect, which is not followed. */
  readonly location: string | undefined;
  readonly text: string;
  readonly headers: Headers;
}

export class Browsing {
  /** Cookies by host name: they do not depend on ports. */
  readonly #cookies = new Map<string, Map<string, string>>();

  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Visited> {
    return this.#send(url, { headers });
  }

  post(url: string, form: Readonly<Record<string, string>>): Promise<Visited> {
    return this.#send(url, { method: 'POST', body: new URLSearchParams(form) });
  }

  delete(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Visited> {
    return this.#send(url, { method: 'DELETE', headers });
  }

  cookies(url: string): ReadonlyMap<string, string> {
    return this.#cookies.get(new URL(url).hostname) ?? new Map();
  }

  setCookie(url: string, name: string, value: string): void {
    const { hostname } = new URL(url);
    this.#cookies.set(hostname, new Map(this.cookies(url)).set(name, value));
  }

  async #send(url: string, init: RequestInit): Promise<Visited> {
    const cookie = [...this.cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(init.headers as Record<string, string>), cookie };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    const jar = new Map(this.cookies(url));
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    this.#cookies.set(new URL(url).hostname, jar);
    return {
      status: response.status,
      location: response.headers.get('location') ?? undefined,
      text: await response.text(),
      headers: response.headers,
    };
  }
}
