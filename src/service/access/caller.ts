import { type Scopes } from '../../contract/index.js';

/** The caller of a request: the holder of a token, or a person who has signed in at the OpenID Connect provider. */
export interface Caller {
  /** Of the token, or `oidc:` and the person’s subject. */
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** The VIN of the token, if it is a vehicle's. */
  readonly vin: string | null;
  /** Vehicle models that the caller is limited to; null: not limited. */
  readonly scopes: Scopes;
}

const PERSON = 'oidc:';

/** Id of a person. @param subject at the provider */
export const personId = (subject: string): string => PERSON + subject;

export const isPerson = ({ id }: Pick<Caller, 'id'>): boolean => id.startsWith(PERSON);
