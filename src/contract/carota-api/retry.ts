/** Which failures of a schedule's vehicles are retried: by state and reason. */
import { RETRIED_STATES } from '../states/index.js';
import Type from '../typebox.js';
import { PrintableText } from '../values/text.js';

const DAYS_30 = 30 * 24 * 3600;

export const RetryRule = Type.Object(
  {
    state: Type.Enum([...RETRIED_STATES], {
      title: 'RetriedState',
      description:
        'What the vehicle has reported. A rollback_success that follows a failure leaves the retry of the failure as it is.',
    }),
    reason: Type.Optional(
      PrintableText({
        minLength: 1,
        maxLength: 200,
        description:
          'Only for reasons that match: * is any number of characters, ? is one; upper and lower case are the same. Absent: for any reason.',
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
        'A vehicle that has been tried again so often already, for whatever reason, has failed.',
    }),
  },
  { additionalProperties: false, title: 'RetryRule' },
);
export type RetryRule = Type.Static<typeof RetryRule>;
