/** The server that this page came from; the session's cookie goes with each request. */
import { type ApiError, Client, type NoAnswer } from '../../contract/client.js';
import { CONSOLE_HEADER } from '../../contract/common-api/index.js';

export { ApiError, NoAnswer } from '../../contract/client.js';

/** Why nothing can be shown. */
export type Failed = ApiError | NoAnswer;

/** What a form of another site cannot send. */
export const CONSOLE_HEADERS = { [CONSOLE_HEADER]: '1' };

export const client = new Client({ url: '', headers: CONSOLE_HEADERS });
