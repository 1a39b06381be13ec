/** Client of the server that serves this page; the session's cookie authenticates it. */
import { type ApiError, Client, type NoAnswer } from '../../contract/client.js';
import { CONSOLE_HEADER } from '../../contract/common-api/index.js';

export { ApiError, NoAnswer } from '../../contract/client.js';

/** Why a request has failed. */
export type Failed = ApiError | NoAnswer;

/** Headers that a form of another site cannot send. */
export const CONSOLE_HEADERS = { [CONSOLE_HEADER]: '1' };

export const client = new Client({ url: '', headers: CONSOLE_HEADERS });
