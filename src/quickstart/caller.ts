/** A client of our own HTTP interfaces. */
export type Call = <T>(
  method: string,
  path: string,
  contentType?: string,
  body?: string | Uint8Array<ArrayBuffer>,
) => Promise<T>;

/** The server refused the request. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function caller(url: string, token: string): Call {
  return async <T>(
    method: string,
    path: string,
    contentType?: string,
    body?: string | Uint8Array<ArrayBuffer>,
  ) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'authorization-token': token,
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) {
      const what = `${method} ${path} answered ${response.status}: ${text}`;
      throw new CallRefused(response.status, what);
    }
    return JSON.parse(text) as T;
  };
}

export const postJson = <T>(call: Call, path: string, body: object): Promise<T> =>
  call<T>('POST', path, 'application/json', JSON.stringify(body));
