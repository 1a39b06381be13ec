/**
 * A route of an HTTP interface, stated once: servers implement it, clients call it, and the OpenAPI document is made from
 * it. Pure data.
 */
import type Type from '../typebox.js';
import { type ErrorCode } from '../errors.js';
import { type Answer, type JsonAnswer, type OtherAnswer } from './answer.js';
import { type Body, type JsonBody } from './body.js';
import { type Permission } from './permission.js';
import { type ScopeRule } from './scope.js';

/** Request methods (RFC 9110, section 9.3; PATCH: RFC 5789) that a route can have. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Requests that are limited in number: those that stay open, those that read whole tables, those that search without an
 * index, those that send large bodies, and those that read a whole campaign in one transaction.
 */
export type Load = 'stream' | 'export' | 'search' | 'upload' | 'dossier';

/** The request and answers of a route; {@link routesOf} makes a {@link Route} of it. */
export interface RouteShape {
  readonly method: Method;
  /** With its parameters in braces, as OpenAPI has them: `/v1.0/vehicles/{vin}`. */
  readonly path: `/${string}`;
  /** Permission that the caller's token must grant; `open`: anyone may call. */
  readonly permission: Permission | 'open';
  /** How it holds for a caller who is limited to some vehicle models. */
  readonly scope: ScopeRule;
  /** Summary, in the imperative: `List the operations, newest first`. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: Type.TObject;
  readonly query?: Type.TObject;
  readonly headers?: Type.TObject;
  readonly body?: Body;
  readonly answer: Answer;
  /** Answers with another status that are no errors. */
  readonly otherAnswers?: readonly OtherAnswer[];
  /** Its own errors; those that every route can have are not repeated. */
  readonly errors?: readonly ErrorCode[];
  /** Kind of load, if the number of such requests in progress is limited per token. */
  readonly load?: Load;
  /** The query parameter that makes it one, e.g. a text that no index finds; absent: every request is. */
  readonly loadWith?: string;
  /** Who has signed in at an OpenID Connect provider must have done so lately: see `FRESH_SIGN_IN_SECONDS`. */
  readonly freshSignIn?: boolean;
  /** The action under which the audit log has it (contract section 9); every route that changes something names one. */
  readonly audit?: string;
  /** Why a route that is not GET or HEAD is not in the audit log. */
  readonly unaudited?: string;
  /** Whether a POST or PATCH may be repeated after a missing answer, because the second one changes nothing. */
  readonly repeatable?: boolean;
}

/** A route with its name and its group. */
export interface Route extends RouteShape {
  /** Unique within its interface; the `operationId` of OpenAPI. */
  readonly id: string;
  /** Its group in the documentation. */
  readonly tag: string;
}

/** A group of routes; each gets the name that it has here as its id. */
export function routesOf<const Shapes extends Readonly<Record<string, RouteShape>>>(
  tag: string,
  shapes: Shapes,
): {
  readonly [Id in keyof Shapes]: Shapes[Id] & { readonly id: Id & string; readonly tag: string };
} {
  const routes = Object.entries(shapes).map(([id, shape]) => [id, { ...shape, id, tag }]);
  return Object.fromEntries(routes) as never;
}

/** A value that fits the schema; undefined if there is none. */
type StaticOf<Schema> = Schema extends Type.TSchema ? Type.Static<Schema> : undefined;

/** The parameters of the path; undefined if it has none. */
export type ParamsOf<R extends RouteShape> = StaticOf<R['params']>;
/** The query parameters; undefined where the route takes none. */
export type QueryOf<R extends RouteShape> = StaticOf<R['query']>;
/** The headers that the route reads itself; undefined if it reads none. */
export type HeadersOf<R extends RouteShape> = StaticOf<R['headers']>;
/** The JSON body; undefined if there is none, or it is not JSON. */
export type BodyOf<R extends RouteShape> =
  R['body'] extends JsonBody<infer Schema>
    ? R['body']['optional'] extends false
      ? Type.Static<Schema>
      : Type.Static<Schema> | undefined
    : undefined;
/** The JSON answer; undefined if there is none, or it is not JSON. */
export type AnswerOf<R extends RouteShape> =
  R['answer'] extends JsonAnswer<infer Schema> ? Type.Static<Schema> : undefined;

/** Named as the contract names the field: `{ref-id}`. */
const PARAMETER = /\{([\w-]+)\}/g;

/** Names of the parameters in a path. */
export const pathParameters = (path: string): string[] =>
  [...path.matchAll(PARAMETER)].map(([, name = '']) => name);

/**
 * The path of a request.
 *
 * @throws RangeError where a parameter is missing, or none that a URL can carry: of `.` and `..`, also encoded, every URL
 *   parser makes another path (WHATWG URL, section 4.1)
 */
export function pathOf(
  { path }: RouteShape,
  params: Readonly<Record<string, string>> = {},
): string {
  return path.replaceAll(PARAMETER, (_all, name: string) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined || value === '') throw new RangeError(`${path} needs ${name}`);
    if (value === '.' || value === '..') {
      throw new RangeError(`${name} cannot be ${value} in an address`);
    }
    return encodeURIComponent(value);
  });
}
