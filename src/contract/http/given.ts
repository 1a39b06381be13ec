/**
 * What a caller within a server gives in place of a request’s body or headers: members that may be absent may also be
 * `undefined`.
 */
export type Given<Asked> = {
  readonly [Name in keyof Asked]: Partial<Pick<Asked, Name>> extends Pick<Asked, Name>
    ? Asked[Name] | undefined
    : Asked[Name];
};
