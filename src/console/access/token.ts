/** A token as the interfaces list it. */
import { type TokenApi } from '../../contract/common-api/index.js';
import { type AnswerOf } from '../../contract/http/route.js';

export type Token = AnswerOf<TokenApi['listTokens']>['items'][number];

/** Whether it is no longer usable. */
export const hasEnded = ({ revokedAt, expiresAt }: Token): boolean =>
  revokedAt !== null || (expiresAt !== null && Date.parse(expiresAt) <= Date.now());
