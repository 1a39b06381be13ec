/** Calls a route of the contract, and returns the raw answer. */
import { pathOf, type Route } from '../../src/contract/index.js';

export interface RawCall {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Body of lines or bytes. */
  readonly content?: { readonly type: string; readonly body: string };
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

const requestOf = (url: string, route: Route, { params, query }: RawCall): URL =>
  new URL(`${pathOf(route, params)}?${new URLSearchParams(query).toString()}`, url);

export async function rawCall(
  url: string,
  token: string,
  route: Route,
  call: RawCall,
): Promise<RawAnswer> {
  const { body, content } = call;
  const sent = content ?? (body === undefined ? undefined : jsonOf(body));
  const response = await fetch(requestOf(url, route, call), {
    method: route.method,
    headers: {
      'authorization-token': token,
      ...(sent ? { 'content-type': sent.type } : {}),
    },
    redirect: 'manual',
    ...(sent ? { body: sent.body } : {}),
  });
  // Headers name files.
  const headers = JSON.stringify([...response.headers].filter(([name]) => name !== 'date'));
  return { status: response.status, text: `${headers}\n${await response.text()}` };
}

const jsonOf = (body: unknown) => ({ type: 'application/json', body: JSON.stringify(body) });
