/** The page of tokens of each server. */
import { ROLES, tokenApi } from '../../contract/adapter-api/index.js';
import { CAROTA_ROLES, carotaTokenApi } from '../../contract/carota-api/index.js';
import { TokensPage } from './tokens-page.js';

export const AdapterTokensPage = () => <TokensPage api={tokenApi} roles={ROLES} />;

/** Tokens of vehicles come by the thousand, from programs. */
const PEOPLE_AND_PROGRAMS = CAROTA_ROLES.filter((role) => role !== 'vehicle');

export const CarotaTokensPage = () => (
  <TokensPage api={carotaTokenApi} roles={PEOPLE_AND_PROGRAMS} />
);
