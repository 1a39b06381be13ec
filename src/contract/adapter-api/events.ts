/** `/v1.0/ota/events`: the event stream, pulled page by page or live as Server-Sent Events. */
import Type from '../typebox.js';
import { CallbackEvent } from '../carota-api/event-call-back.js';
import { json, routesOf, ServerSentEvent, stream } from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { Text } from '../values/text.js';
import { Timestamp } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';

const Position = Pattern('^[0-9]{1,15}$', 'must be the number of an event, 0 for the beginning', {
  description: 'Number of the last event already read; 0: from the beginning.',
});

const Filter = Type.Object({
  'ref-id': Type.Optional(Text(256, 'Only events of this operation.')),
  vin: Type.Optional(Vin),
});

const PullQuery = Type.Object({
  after: Type.Optional(Position),
  since: Type.Optional(
    Timestamp('Instead of `after`: start with the first event received at or after this time.'),
  ),
  limit: Type.Integer({
    minimum: 1,
    maximum: 5_000,
    default: 500,
    description: 'Maximum number of events.',
  }),
  wait: Type.Integer({
    minimum: 0,
    maximum: 60,
    default: 0,
    description: 'Seconds to wait if there are no events yet.',
  }),
  ...Filter.properties,
});

/** Events in commit order, and the position after them. */
export const PulledEvents = Type.Object(
  {
    events: Type.Array(CallbackEvent),
    cursor: Type.String({ description: '`after` of the next call.' }),
    more: Type.Boolean({ description: 'Whether more events are already available.' }),
  },
  { title: 'PulledEvents' },
);
/** A value that fits the schema {@link PulledEvents}. */
export type PulledEvents = Type.Static<typeof PulledEvents>;

/** Routes that read the event stream, by pull or live. */
export const eventApi = routesOf('Events', {
  pullEvents: {
    method: 'GET',
    path: '/v1.0/ota/events',
    permission: 'read',
    scope: 'filtered',
    load: 'stream',
    summary: 'Pull events after a position, in the order in which they were committed',
    description:
      'The events of one vehicle are in the order of their arrival. Every committed event is listed, and no other.',
    query: PullQuery,
    answer: json(PulledEvents, 'Events, and the position to continue from.'),
  },
  streamEvents: {
    method: 'GET',
    path: '/v1.0/ota/events/stream',
    permission: 'read',
    scope: 'filtered',
    load: 'stream',
    summary: 'Stream events live, as Server-Sent Events',
    description:
      'Each event has its position as its id. The stream starts after `Last-Event-ID` or, without it, after `after`; without either, with the next event.',
    query: Type.Object({ after: Type.Optional(Position), ...Filter.properties }),
    headers: Type.Object({ 'last-event-id': Type.Optional(Position) }),
    answer: stream(
      'text/event-stream',
      'Server-Sent Events (WHATWG HTML, section 9.2) of type `ota-event`; `data` is a CallbackEvent.',
      ServerSentEvent,
    ),
  },
});
