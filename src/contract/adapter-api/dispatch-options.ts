/**
 * How an operation's triggers go out. The seed's CarOTA Server Event does not have these; ours takes
 * them as the optional `body.dispatch`, and everything has a default.
 */
import Type from '../typebox.js';

/** Highest rate, triggers per second. */
export const MAX_RATE = 1_000_000;
/** Most vehicles of a step; more than any operation has. */
export const MAX_VEHICLES = 1_000_000_000;

/** A constant rate, or one that grows with the number of vehicles notified or succeeded. */
export const TriggerRate = Type.Object(
  {
    perSecond: Type.Number({
      exclusiveMinimum: 0,
      maximum: MAX_RATE,
      description: 'Initial triggers per second; 0.1 is one every ten seconds.',
    }),
    factor: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 100,
        description: 'Factor by which each step multiplies the rate.',
      }),
    ),
    after: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VEHICLES,
        description: 'Number of vehicles per step.',
      }),
    ),
    of: Type.Optional(
      Type.Enum(['notified', 'succeeded'], {
        description:
          'notified: vehicles whose trigger was sent; succeeded: vehicles that reported success.',
      }),
    ),
    atMost: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_RATE,
        description: 'Maximum rate, per second.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'TriggerRate',
    description: 'With `factor` and `after`, the rate is perSecond × factor^⌊vehicles ÷ after⌋.',
  },
);
export type TriggerRate = Type.Static<typeof TriggerRate>;

/** Lowest priority of an operation. */
export const MIN_PRIORITY = -10;
/** Highest priority of an operation. */
export const MAX_PRIORITY = 10;

/** Priority of an operation; 0 is the default. */
export const Priority = Type.Integer({
  minimum: MIN_PRIORITY,
  maximum: MAX_PRIORITY,
  description:
    'Each step doubles the operation’s share of the rate while several operations are sending.',
});

/** How long a trigger is valid, in seconds, at most ten years of 365 days; -1 = it never expires. */
export const Ttl = Type.Integer({
  minimum: -1,
  maximum: 315_360_000,
  description: 'Seconds until an unacknowledged trigger is EXPIRED; -1 = never.',
});

/** As in `property_bag` of the OTA_TRIGGER. */
export const AckRequired = Type.Enum(['0', '1'], {
  description:
    '"1": the trigger is repeated until the vehicle acknowledges it. "0": the trigger is sent once, and the delivery is complete when it is published.',
});

/** `body.dispatch` of a CarOTA Server Event; each option has a default (contract section 4). */
export const DispatchOptions = Type.Object(
  {
    priority: Type.Optional(Priority),
    rate: Type.Optional(TriggerRate),
    ttl: Type.Optional(Ttl),
    ack_required: Type.Optional(AckRequired),
  },
  { additionalProperties: false, title: 'DispatchOptions' },
);
/** Options that fit the schema {@link DispatchOptions}. */
export type DispatchOptions = Type.Static<typeof DispatchOptions>;
