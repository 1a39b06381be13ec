/**
 * The HTTP interface of the OTA Adapter (contract section 4).
 *
 * @module contract/adapter-api
 */
import Type from '../typebox.js';
import { CallbackMessage } from '../carota-api/event-call-back.js';
import {
  auditApi,
  certificateApi,
  cookieOf,
  liveApiOf,
  serviceApi,
  sessionApiOf,
  signOnApi,
  tokenApiOf,
} from '../common-api/index.js';
import { json, openApiOf, type Route, routesOf, type Webhook } from '../http/index.js';
import { operationAuditApi } from './audit.js';
import { controlApi } from './control.js';
import { deadLetterApi } from './dead-letters.js';
import { dispatchApi } from './dispatch.js';
import { eventApi } from './events.js';
import { ADAPTER_FACTS } from './examples.js';
import { healthApi } from './health.js';
import { insightApi } from './insight.js';
import { operationApi } from './operations.js';
import { receiverApi } from './receivers.js';
import { registryApi } from './registry.js';
import { GRANTS, ROLES } from './roles.js';
import { triggerApi } from './trigger.js';

export * from './audit.js';
export * from './control.js';
export * from './dead-letters.js';
export * from './dispatch-options.js';
export * from './dispatch.js';
export * from './events.js';
export * from './health.js';
export * from './insight.js';
export * from './operations.js';
export * from './receivers.js';
export * from './registry.js';
export * from './roles.js';
export * from './summary.js';
export * from './timeline.js';
export * from './trigger.js';

/** Routes by which consoles learn of changes: of operations, samples and vehicles. */
export const liveApi = liveApiOf(['operation', 'samples', 'vehicle']);
/** Routes for the tokens of the OTA Adapter. */
export const tokenApi = tokenApiOf(ROLES);
/** Routes by which a browser signs in to the OTA Adapter and out. */
export const sessionApi = sessionApiOf('adapter', ROLES);

/** Route of the AsyncAPI document. */
export const asyncApi = routesOf('Service', {
  getAsyncApi: {
    method: 'GET',
    path: '/asyncapi.json',
    permission: 'open',
    scope: 'none',
    summary: 'Read the MQTT interface as an AsyncAPI 3 document',
    description: 'With the broker and the topics of this server, and examples of all messages.',
    answer: json(
      Type.Object(
        {},
        {
          additionalProperties: true,
          examples: [
            {
              asyncapi: '3.1.0',
              info: {
                title: 'OTA Operations: messages between cloud and vehicle',
                version: '0.1.0',
              },
            },
          ],
        },
      ),
      'The document.',
    ),
  },
});

/** All its routes, in the order of its documentation. */
export const ADAPTER_ROUTES: readonly Route[] = [
  triggerApi,
  operationApi,
  controlApi,
  dispatchApi,
  insightApi,
  operationAuditApi,
  auditApi,
  healthApi,
  liveApi,
  eventApi,
  receiverApi,
  registryApi,
  certificateApi,
  deadLetterApi,
  tokenApi,
  sessionApi,
  signOnApi,
  serviceApi,
  asyncApi,
].flatMap((group): Route[] => Object.values<Route>(group));

const TAGS = {
  Trigger: 'Receives the CarOTA Server Event, which triggers updates of vehicles.',
  Operations: 'Progress of operations and their vehicles.',
  Control: 'Pause, resume, cancel, retrigger; rates and priorities.',
  Insight: 'Analysis: summaries, timelines, exports, search, health.',
  Audit: 'Who did what, when, from where and why; hash-chained and sealed.',
  Live: 'Change notifications for consoles.',
  Events: 'The event stream, by pull or live.',
  'Call-back': 'Receivers to which events are posted.',
  Registry: 'Vehicles: VIN, system_id, primary device and model.',
  Certificates: 'Revoked client certificates of vehicles.',
  'Dead letters': 'Messages that could not be applied.',
  Tokens: 'Tokens of this interface.',
  Session: 'Sign-in of browsers.',
  Service: 'Liveness, readiness, metrics, and the documents of both interfaces.',
};

/** Signed by the Standard Webhooks specification (contract section 6). */
const EVENT_CALL_BACK: Webhook = {
  id: 'postEvents',
  tag: 'Call-back',
  summary: 'Post events to a receiver, in order, at least once',
  description:
    'A 2xx answer settles the batch. After any other answer the batch is retried with backoff, also across restarts; no event is skipped.',
  headers: Type.Object({
    'webhook-id': Type.String({ description: 'The same in every attempt to deliver a batch.' }),
    'webhook-timestamp': Type.String({
      pattern: '^[0-9]+$',
      description: 'Unix time of this attempt, seconds.',
    }),
    'webhook-signature': Type.String({
      description:
        '`v1,` and base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`; several, separated by spaces, while a secret is being changed.',
    }),
  }),
  body: CallbackMessage,
  answer: 'The batch is settled.',
};

/** The OpenAPI 3.1 document of this interface. */
export const adapterDocument = (version: string) =>
  openApiOf(ADAPTER_ROUTES, {
    title: 'OTA Operations: OTA Adapter',
    description: 'Triggers over-the-air updates and reports the state of every vehicle.',
    version,
    cookie: cookieOf('adapter'),
    tags: TAGS,
    grants: GRANTS,
    facts: ADAPTER_FACTS,
    webhooks: { events: EVENT_CALL_BACK },
  });
