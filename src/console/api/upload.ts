/** Uploads a file with progress, which `fetch` does not support. */
import { refusalOf, valueOf, isAnswer } from '../../contract/client/answers.js';
import { queryText } from '../../contract/client/request-text.js';
import { type RequestOf } from '../../contract/client.js';
import { type AnswerOf, pathOf, type RouteShape } from '../../contract/http/route.js';
import { CONSOLE_HEADERS, NoAnswer } from './client.js';

export interface Upload<T> {
  readonly answer: Promise<T>;
  abort(): void;
}

/** A route that accepts a file. */
export type UploadRoute = RouteShape & { readonly body: { readonly kind: 'lines' | 'bytes' } };
export type UploadRequest<R extends UploadRoute> = Omit<RequestOf<R>, 'content' | 'headers'>;

/** Limit of the answer, bytes; it lists at most 1,000 rejected lines. */
const MAX_ANSWER = 4 * 1024 * 1024;

/** @param onProgress bytes sent so far */
export function upload<R extends UploadRoute>(
  route: R,
  requested: UploadRequest<R>,
  file: Blob,
  contentType: string,
  onProgress: (sent: number) => void,
): Upload<AnswerOf<R>> {
  const { params, query } = requested as {
    readonly params?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, unknown>>;
  };
  const request = new XMLHttpRequest();
  const answer = new Promise<Response>((resolve, reject) => {
    const fail = (message: string) => () => reject(new NoAnswer(message));
    request.open(route.method, pathOf(route, params) + queryText(query));
    for (const [name, value] of Object.entries(CONSOLE_HEADERS)) {
      request.setRequestHeader(name, value);
    }
    request.setRequestHeader('content-type', contentType);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onerror = fail('the connection was lost during the upload');
    request.onabort = fail('the upload was stopped');
    request.onload = () => resolve(responseOf(request));
    request.send(file);
  }).then(async (response) => {
    if (!isAnswer(route, response)) throw await refusalOf(response);
    return (await valueOf(route, response, MAX_ANSWER)) as AnswerOf<R>;
  });
  return { answer, abort: () => request.abort() };
}

/** Converts an XMLHttpRequest's answer to that of `fetch`. */
function responseOf(request: XMLHttpRequest): Response {
  const type = request.getResponseHeader('content-type');
  return new Response(request.responseText === '' ? null : request.responseText, {
    status: request.status,
    statusText: request.statusText,
    headers: type === null ? {} : { 'content-type': type },
  });
}
