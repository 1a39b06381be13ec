/** Which failures of a schedule's vehicles are retried: by state and reason. */
import { RETRIED_STATES } from '../states/index.js';
import Type from '../typebox.js';
import { PrintableText } from '../values/text.js';

const DAYS_30 = 30 * 24 * 3600;

/** When a failed vehicle of a schedule gets a new attempt. */
export const RetryRule = Type.Object(
  {
    state: Type.Enum([...RETRIED_STATES], {
      title: 'RetriedState',
      description:
        'Status that the vehicle reported. A rollback_success after a failure does not affect the retry of that failure.',
    }),
    reason: Type.Optional(
      PrintableText({
        minLength: 1,
        maxLength: 200,
        description:
          'Pattern that the reason must match: * stands for any number of characters, ? for one; case is ignored. Absent: any reason.',
        examples: ['*network*'],
      }),
    ),
    after: Type.Integer({
      minimum: 1,
      maximum: DAYS_30,
      description: 'Seconds between the failure and the next attempt.',
    }),
    times: Type.Integer({
      minimum: 1,
      maximum: 100,
      description:
        'Maximum number of retries per vehicle, for all reasons together; after that, the vehicle has failed.',
    }),
  },
  { additionalProperties: false, title: 'RetryRule' },
);
/** A value that fits the schema {@link RetryRule}. */
export type RetryRule = Type.Static<typeof RetryRule>;
