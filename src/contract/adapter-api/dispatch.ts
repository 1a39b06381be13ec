/** `/v1.0/dispatch`: how fast all adapters on one database together send triggers. */
import Type from '../typebox.js';
import { json, jsonBody, Nullable, Reason, routesOf } from '../http/index.js';
import { MAX_RATE } from './dispatch-options.js';

const TriggersPerSecond = Nullable(
  Type.Number({ exclusiveMinimum: 0, maximum: MAX_RATE }),
  'Global rate limit, triggers per second; null: no limit.',
);
/** The global rate limit: triggers per second of all operations together. */
export const Dispatch = Type.Object(
  { triggersPerSecond: TriggersPerSecond },
  { title: 'Dispatch' },
);
/** A value that fits the schema {@link Dispatch}. */
export type Dispatch = Type.Static<typeof Dispatch>;

const DispatchChange = Type.Object(
  { ...Dispatch.properties, reason: Type.Optional(Reason) },
  { title: 'DispatchChange', additionalProperties: false },
);

/** Routes of the global rate limit. */
export const dispatchApi = routesOf('Control', {
  getDispatch: {
    method: 'GET',
    path: '/v1.0/dispatch',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get the global rate limit',
    answer: json(Dispatch, 'The limit.'),
  },
  changeDispatch: {
    method: 'PUT',
    path: '/v1.0/dispatch',
    permission: 'control',
    scope: 'unscoped-only',
    audit: 'change-rate',
    summary: 'Change the global rate limit, effective from the next triggers',
    body: jsonBody(DispatchChange, 'The limit and the reason.'),
    answer: json(Dispatch, 'The limit.'),
  },
});
