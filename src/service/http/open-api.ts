/** The OpenAPI 3.1 document of a server, made from the schemas of its routes. */
import { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { SURROGATES } from '../../contract/index.js';

export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** Groups of routes, in this order. */
  readonly tags: readonly string[];
  /** What this server posts to others. */
  readonly webhooks?: Readonly<Record<string, object>>;
}

export function documentOptions(options: DocumentOptions): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: options.title,
        version: options.version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        description: options.description,
      },
      components: {
        securitySchemes: {
          token: { type: 'apiKey', in: 'header', name: 'authorization-token' },
        },
      },
      tags: [...options.tags, 'Session', 'Live', 'Service'].map((name) => ({ name })),
      ...(options.webhooks === undefined ? {} : { webhooks: options.webhooks }),
    },
    transformObject: (made) => {
      if (!('openapiObject' in made)) return made.swaggerObject;
      for (const path of Object.values(made.openapiObject.paths ?? {})) {
        for (const operation of Object.values(path ?? {})) correct(operation as Operation);
      }
      return withoutSurrogates(made.openapiObject);
    },
  };
}

/** Patterns without the class that only a language with UTF-16 texts can name; what has them is refused all the same. */
const withoutSurrogates = <Document extends object>(document: Document): Document =>
  JSON.parse(
    JSON.stringify(document).replaceAll(JSON.stringify(SURROGATES).slice(1, -1), ''),
  ) as Document;

/** Set by a route whose body may be left out. */
export const OPTIONAL_BODY = 'x-optional-body';

interface Operation {
  readonly parameters?: { in: string; required?: boolean; schema?: object }[];
  readonly requestBody?: { required?: boolean };
  readonly 'x-optional-body'?: boolean;
}

/** What the generator gets wrong: parameters with a default and optional bodies need not be given. */
function correct(operation: Operation): void {
  for (const parameter of operation.parameters ?? []) {
    if (parameter.in === 'query' && 'default' in (parameter.schema ?? {}))
      parameter.required = false;
  }
  if (operation.requestBody && operation[OPTIONAL_BODY]) operation.requestBody.required = false;
}
