/** The adapter's HTTP interface as commands use it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface AdapterAddress {
  readonly url: string;
  readonly token: string | undefined;
  /** Where the first token of an adapter on this machine is. */
  readonly dataDir: string;
}

/** The adapter has refused a request. */
class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Problem {
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly errors?: readonly { path: string; message: string }[];
}

export class AdapterClient {
  readonly #url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
  }

  /** With the given token, else with the one that the first start has left in the data directory. */
  static async connect({ url, token, dataDir }: AdapterAddress): Promise<AdapterClient> {
    const file = join(dataDir, 'token');
    const secret = token ?? (await readFile(file, 'utf8').catch(() => undefined))?.trim();
    if (secret === undefined) {
      throw new Error(`no token: give --token or OTAOPS_TOKEN (there is no ${file})`);
    }
    return new AdapterClient(url, secret);
  }

  /** @throws RequestRefused, or Error where the adapter cannot be reached */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#send<T>(
      method,
      path,
      'application/json',
      body === undefined ? undefined : JSON.stringify(body),
    );
  }

  /** Sends a body that is no JSON. */
  async upload<T>(path: string, contentType: string, body: string): Promise<T> {
    return this.#send<T>('POST', path, contentType, body);
  }

  async #send<T>(
    method: string,
    path: string,
    contentType: string,
    body: string | undefined,
  ): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        'authorization-token': this.#token,
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body }),
    }).catch((error: unknown) => {
      const cause = (error as Error).cause as Error | undefined;
      throw new Error(`no adapter answers at ${this.#url}: ${(cause ?? (error as Error)).message}`);
    });
    const text = await response.text();
    const answer = (text === '' ? undefined : JSON.parse(text)) as T & Problem;
    if (!response.ok) {
      const fields = (answer.errors ?? []).map(({ path, message }) => `\n  ${path} ${message}`);
      throw new RequestRefused(
        response.status,
        answer.errorCode ?? String(response.status),
        `${answer.errorMessage ?? response.statusText}${fields.join('')}`,
      );
    }
    return answer;
  }
}
