/** The end of an answer, completed or aborted. */
import { type ServerResponse } from 'node:http';

/** Resolves when the answer is sent, or its connection closed. */
export const whenClosed = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    if (response.closed || response.destroyed) resolve();
    else response.once('close', resolve);
  });
