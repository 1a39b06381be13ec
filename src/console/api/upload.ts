/** Sends a file, and tells how far it has come: `fetch` cannot. */
import { ApiError, CONSOLE_HEADERS, readAnswer } from './client.js';

export interface Upload<T> {
  readonly answer: Promise<T>;
  abort(): void;
}

/** @param onProgress bytes that have left, of all */
export function upload<T>(
  path: string,
  file: Blob,
  contentType: string,
  onProgress: (sent: number) => void,
): Upload<T> {
  const request = new XMLHttpRequest();
  const answer = new Promise<T>((resolve, reject) => {
    const fail = (code: string, message: string) => () => reject(new ApiError(0, code, message));
    request.open('POST', path);
    for (const [name, value] of Object.entries(CONSOLE_HEADERS)) {
      request.setRequestHeader(name, value);
    }
    request.setRequestHeader('content-type', contentType);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onerror = fail('NO_ANSWER', 'the connection was lost before it was all sent');
    request.onabort = fail('ABORTED', 'you have stopped it');
    request.onload = () => {
      try {
        resolve(readAnswer<T>(request.status, request.responseText));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    request.send(file);
  });
  return { answer, abort: () => request.abort() };
}
