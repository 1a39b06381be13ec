/** The OpenAPI 3.1 document of an interface, made from its routes. Pure. */
import type Type from '../typebox.js';
import { type Static } from '../typebox.js';
import { type ErrorCode, ERRORS } from '../errors.js';
import { SURROGATES } from '../values/text.js';
import { type Answer } from './answer.js';
import { type Body, FORM_TYPE, LINE_TYPES } from './body.js';
import { descriptionOf } from './description.js';
import { exampleOf, type Facts } from './example.js';
import { type Grants } from './permission.js';
import { PROBLEM_CONTENT_TYPE, ProblemBody, problemTitle } from './problem.js';
import { type Route } from './route.js';

/** What an OpenAPI document says besides its routes. */
export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** Name of the cookie that identifies a browser's session. */
  readonly cookie: string;
  /** Groups of routes in their order, with what each is about. */
  readonly tags: Readonly<Record<string, string>>;
  /** Permissions of each role. */
  readonly grants: Grants;
  /** What its examples are made of. */
  readonly facts: Facts;
  /** Requests that this server sends to others, by name. */
  readonly webhooks?: Readonly<Record<string, Webhook>>;
}

/** A request that a server of ours makes to others. */
export interface Webhook {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly headers: Type.TObject;
  readonly body: Type.TSchema;
  readonly answer: string;
}

/**
 * A JSON object.
 *
 * @inline
 */
type Json = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.1 document of these routes.
 *
 * @throws Error where two different schemas have the same title, or a body has no example
 */
export function openApiOf(routes: readonly Route[], options: DocumentOptions): Json {
  const components = new Components(options.facts);
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operationOf(route, options.grants, components);
  }
  const webhooks = Object.entries(options.webhooks ?? {}).map(([name, webhook]) => [
    name,
    { post: webhookOf(webhook, components) },
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: options.title,
      version: options.version,
      description: options.description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      contact: { name: 'OTA Operations' },
    },
    servers: [{ url: '/', description: 'The server that provides this document.' }],
    tags: Object.entries(options.tags).map(([name, description]) => ({ name, description })),
    paths,
    ...(webhooks.length === 0 ? {} : { webhooks: Object.fromEntries(webhooks) as Json }),
    components: {
      schemas: components.all(),
      securitySchemes: {
        token: {
          type: 'apiKey',
          in: 'header',
          name: 'authorization-token',
          description: 'A token of this server (contract section 4).',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: options.cookie,
          description: 'Session of a signed-in browser; see POST /v1.0/session.',
        },
        console: {
          type: 'apiKey',
          in: 'header',
          name: 'x-otaops-console',
          description: '`1`; required in every request with a cookie that changes something.',
        },
      },
    },
  };
}

function operationOf(route: Route, grants: Grants, components: Components): Json {
  const parameters = [
    ...parametersOf('path', route.params, components),
    ...parametersOf('query', route.query, components),
    ...parametersOf('header', route.headers, components),
  ];
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    description: descriptionOf(route, grants),
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body ? { requestBody: requestBodyOf(route.body, components) } : {}),
    responses: responsesOf(route, components),
  };
}

function securityOf({ permission, method }: Route): readonly Json[] {
  if (permission === 'open') return [];
  const changes = method !== 'GET' && method !== 'HEAD';
  return [{ token: [] }, changes ? { session: [], console: [] } : { session: [] }];
}

function parametersOf(
  place: 'path' | 'query' | 'header',
  schema: Type.TObject | undefined,
  components: Components,
): Json[] {
  const required = new Set<string>(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => {
    const { description, ...shape } = components.inline(property);
    return {
      name,
      in: place,
      required: place === 'path' || (required.has(name) && !('default' in shape)),
      ...(description === undefined ? {} : { description }),
      schema: shape,
    };
  });
}

function requestBodyOf(body: Body, components: Components): Json {
  const required = body.kind !== 'json' || !body.optional;
  const lines =
    body.kind === 'lines' ? ` A line of NDJSON: \`${body.examples.ndjson.trimEnd()}\`.` : '';
  return {
    description: `${body.description} ${limitOf(body)}${lines}`,
    required,
    content: contentOf(body, components),
    'x-max-bytes': body.maxBytes,
    'x-content-encodings': body.gzip ? ['gzip'] : [],
  };
}

/** OpenAPI has no member for the length of a body or its encoding. */
function limitOf({ maxBytes, gzip }: Body): string {
  const unit = BYTE_UNITS.find(({ bytes }) => maxBytes % bytes === 0) ?? {
    bytes: 1,
    name: 'bytes',
  };
  const most = `At most ${maxBytes / unit.bytes} ${unit.name}`;
  return gzip
    ? `${most} before and after decompression; may be compressed (\`content-encoding: gzip\`).`
    : `${most}, not compressed.`;
}

const BYTE_UNITS = [
  { bytes: 2 ** 30, name: 'GiB' },
  { bytes: 2 ** 20, name: 'MiB' },
  { bytes: 2 ** 10, name: 'KiB' },
];

function contentOf(body: Body, components: Components): Json {
  switch (body.kind) {
    case 'json':
      return { [body.form ? FORM_TYPE : JSON_TYPE]: components.content(body.schema) };
    case 'lines':
      return Object.fromEntries(
        Object.entries(LINE_TYPES).map(([type, format]) => [
          type,
          // Tools that send examples cannot write NDJSON: its example is in the description.
          { schema: {}, ...(format === 'csv' ? { example: body.examples.csv } : {}) },
        ]),
      );
    case 'bytes':
      return { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
  }
}

function responsesOf(route: Route, components: Components): Json {
  const responses: Partial<Record<string, Json>> = {
    [route.answer.status]: responseOf(route.answer, components),
  };
  for (const other of route.otherAnswers ?? []) {
    const { status, description, schema, mediaType = JSON_TYPE, headers } = other;
    const isExemplary = mediaType === JSON_TYPE && status < 300;
    const content = schema && {
      [mediaType]: isExemplary
        ? components.content(schema)
        : { schema: components.reference(schema) },
    };
    responses[status] = {
      description,
      ...headersOf(headers, components),
      ...(content ? { content } : {}),
    };
  }
  for (const [status, codes] of errorsByStatus(route)) {
    responses[status] ??= problemOf(codes, components);
  }
  // A browser is sent elsewhere, so there is no 2XX; a client that expects one learns what else can come.
  if (route.answer.status >= 300) responses.default = anyProblem(components);
  return responses;
}

function responseOf(answer: Answer, components: Components): Json {
  const { description } = answer;
  switch (answer.kind) {
    case 'empty':
      return { description, ...headersOf(answer.headers, components) };
    case 'json':
      return {
        description,
        content: { [JSON_TYPE]: components.content(answer.schema) },
      };
    case 'stream': {
      const { schema } = answer;
      const contentOf = (type: string) => {
        if (!schema || UNSTRUCTURED.has(type)) return { schema: anyOf(type) };
        return type === JSON_TYPE
          ? components.content(schema)
          : { schema: components.reference(schema) };
      };
      const content = answer.mediaTypes.map((type) => [type, contentOf(type)]);
      const headers = headersOf(answer.headers, components);
      return { description, ...headers, content: Object.fromEntries(content) as Json };
    }
  }
}

function headersOf(headers: Type.TObject | undefined, components: Components): Json {
  if (!headers) return {};
  const parameters = parametersOf('header', headers, components);
  const entries = parameters.map(({ name, in: _, ...header }) => [String(name), header]);
  return { headers: Object.fromEntries(entries) as Json };
}

/** Other forms of an answer whose schema describes its JSON. */
const UNSTRUCTURED: ReadonlySet<string> = new Set(['application/pdf', 'text/csv']);

/** Content that no schema describes. */
const anyOf = (mediaType: string): Json =>
  /^text\/|ndjson$/.test(mediaType) ? { type: 'string' } : { type: 'string', format: 'binary' };

/** Its own errors and those that a route of its kind can have. */
export function errorsOf(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(route.errors);
  const add = (...more: ErrorCode[]) => more.forEach((code) => codes.add(code));
  // Every route refuses a parameter that it does not know.
  add('INVALID', 'URI_TOO_LONG', 'HEADERS_TOO_LARGE', 'INTERNAL_ERROR');
  if (route.permission !== 'open') {
    add('UNAUTHORIZED', 'TOO_MANY_ATTEMPTS', 'DATABASE_UNAVAILABLE');
    if (route.load) add('TOO_MANY_REQUESTS');
    if (route.permission === 'read' || route.load === 'search') add('SEARCH_TIMEOUT');
    if (route.permission !== 'any') add('FORBIDDEN');
    if (route.scope === 'unscoped-only') add('OUT_OF_SCOPE');
    if (route.freshSignIn) add('SIGN_IN_AGAIN');
    if (route.method !== 'GET' && route.method !== 'HEAD') add('FORGED_REQUEST');
  }
  if (route.body) {
    add('UNREADABLE_BODY', 'UNSUPPORTED_CONTENT_ENCODING', 'DATABASE_UNAVAILABLE');
    add('BODY_TOO_LARGE', 'REQUEST_TIMEOUT');
    // Content of any type is taken as a stream.
    if (route.body.kind !== 'bytes') add('UNSUPPORTED_MEDIA_TYPE');
    if (route.body.kind !== 'json') add('BODY_MISSING');
    // A signed body is checked by its route, as it came.
    const isParsed = route.body.kind === 'json' && !route.body.signed && !route.body.form;
    if (isParsed) add('NOT_JSON', 'NOT_UTF8');
  }
  return [...codes];
}

function errorsByStatus(route: Route): Map<number, ErrorCode[]> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(route)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return new Map([...byStatus].sort(([a], [b]) => a - b));
}

function problemOf(codes: readonly ErrorCode[], components: Components): Json {
  const lines = codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning} ${ERRORS[code].remedy}`);
  return {
    description: lines.join('\n\n'),
    content: {
      [PROBLEM_CONTENT_TYPE]: {
        schema: components.reference(ProblemBody),
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  };
}

const anyProblem = (components: Components): Json => ({
  description: 'Any other answer is a problem.',
  content: { [PROBLEM_CONTENT_TYPE]: { schema: components.reference(ProblemBody) } },
});

const problemExample = (code: ErrorCode): Static<typeof ProblemBody> => ({
  title: problemTitle(code),
  status: ERRORS[code].status,
  errorCode: code,
  errorMessage: ERRORS[code].meaning,
});

function webhookOf(webhook: Webhook, components: Components): Json {
  return {
    operationId: webhook.id,
    tags: [webhook.tag],
    summary: webhook.summary,
    description: webhook.description,
    security: [],
    parameters: parametersOf('header', webhook.headers, components),
    requestBody: {
      required: true,
      content: { [JSON_TYPE]: components.content(webhook.body) },
    },
    responses: { '2XX': { description: webhook.answer } },
  };
}

const JSON_TYPE = 'application/json';

/** Schemas with a title stand once, under it, and are referred to. */
class Components {
  readonly #facts: Facts;
  readonly #schemas = new Map<string, { readonly source: unknown; shape: Json }>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Content of this schema, with an example. */
  content(schema: object): Json {
    return { schema: this.reference(schema), example: exampleOf(schema, this.#facts) };
  }

  reference(schema: object): Json {
    return this.#shapeOf(schema) as Json;
  }

  /** The schema itself, even if it has a title: parameters are described in place. */
  inline(schema: object): Json {
    return this.#membersOf(schema);
  }

  all(): Json {
    const sorted = [...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, { shape }]) => [name, shape]));
  }

  #shapeOf(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#shapeOf(item));
    if (typeof value === 'string') return withoutSurrogates(value);
    if (typeof value !== 'object' || value === null) return value;
    const title = 'title' in value ? value.title : undefined;
    if (typeof title !== 'string') return this.#membersOf(value);
    this.#keep(title, value);
    return { $ref: `#/components/schemas/${title}` };
  }

  #keep(title: string, source: object): void {
    const kept = this.#schemas.get(title);
    if (kept) {
      if (kept.source !== source && JSON.stringify(kept.source) !== JSON.stringify(source)) {
        throw new Error(`two schemas have the title ${title}`);
      }
      return;
    }
    const component = { source, shape: {} as Json };
    this.#schemas.set(title, component);
    component.shape = this.#membersOf(source);
  }

  #membersOf(schema: object): Json {
    const members = Object.fromEntries(
      Object.entries(schema).map(([name, member]) => [name, this.#memberOf(name, member)]),
    );
    return isTextEnum(members) ? { type: 'string', ...members } : members;
  }

  #memberOf(name: string, member: unknown): unknown {
    if (name === 'properties') return this.#propertiesOf(member as object);
    // Values, which may have a title too.
    return name === 'examples' ? member : this.#shapeOf(member);
  }

  /** A property may be called `title`. */
  #propertiesOf(properties: object): Json {
    return Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, this.#shapeOf(schema)]),
    );
  }
}

/** Generators need the type, although the values imply it. */
const isTextEnum = ({ type, enum: values }: Json): boolean =>
  type === undefined && Array.isArray(values) && values.every((value) => typeof value === 'string');

/** Only languages with UTF-16 strings can match lone surrogates; texts with them are refused nevertheless. */
const withoutSurrogates = (text: string): string => text.replaceAll(SURROGATES, '');
