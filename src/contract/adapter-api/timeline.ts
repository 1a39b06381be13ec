/** All that happened to one vehicle in an operation, as the adapter saw it. */
import Type from '../typebox.js';
import { Nullable, Time, TimeOf } from '../http/index.js';
import { MetaField } from '../mqtt/meta.js';
import { ReportedStatusName } from '../states/index.js';

/** Steps of a delivery on the adapter's side; `triggered`: the CarOTA Server Event was accepted. */
export const DELIVERY_STEPS = [
  'triggered',
  'sent',
  'failed',
  'device_not_found',
  'expired',
  'undelivered',
  'cancelled',
  'retriggered',
  'registered',
] as const;

/** Members that every entry has. */
const entry = {
  at: TimeOf('When the adapter recorded it.'),
  attempt: Nullable(Type.Integer()),
};

const DeliveryEntry = Type.Object(
  { kind: Type.Literal('delivery'), ...entry, what: Type.Enum([...DELIVERY_STEPS]) },
  { title: 'DeliveryEntry' },
);

const CallbackOfEvent = Type.Object(
  {
    receiver: Type.String({ description: 'Name of the receiver.' }),
    deliveredAt: Nullable(Time),
    tries: Type.Integer({ description: 'Number of attempts to post the batch.' }),
  },
  { title: 'CallbackOfEvent' },
);

const message = {
  ...entry,
  vehicleAt: TimeOf('By the vehicle’s clock.'),
  message_id: Type.String(),
  meta: Type.Array(MetaField),
};
const AckEntry = Type.Object({ kind: Type.Literal('ack'), ...message }, { title: 'AckEntry' });
const EventEntry = Type.Object(
  {
    kind: Type.Literal('event'),
    ...message,
    'event-id': Type.String({ description: 'As in the event call-back.' }),
    'status-name': ReportedStatusName,
    callbacks: Type.Array(CallbackOfEvent),
  },
  { title: 'EventEntry' },
);

const ControlEntry = Type.Object(
  {
    kind: Type.Literal('control'),
    ...entry,
    action: Type.String({ description: 'As in the audit log.' }),
    by: Type.String({ description: 'Name of the caller’s token.' }),
    reason: Type.String(),
    detail: Type.Object({}, { additionalProperties: true }),
  },
  { title: 'ControlEntry' },
);

/** An entry of a vehicle’s timeline in an operation; `kind` is its type. */
export const TimelineEntry = Type.Union([DeliveryEntry, AckEntry, EventEntry, ControlEntry], {
  title: 'TimelineEntry',
  description: 'An entry of a vehicle’s timeline; `kind` is its type.',
});
/** A value that fits the schema {@link TimelineEntry}. */
export type TimelineEntry = Type.Static<typeof TimelineEntry>;
