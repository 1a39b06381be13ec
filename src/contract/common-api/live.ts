/** `/v1.0/live`: notifies browsers of changes immediately, as Server-Sent Events. */
import Type from '../typebox.js';
import { routesOf, ServerSentEvent, stream } from '../http/index.js';
import { Pattern } from '../values/pattern.js';

const MAX_TOPICS = 50;

/**
 * The route `/v1.0/live` of a server.
 *
 * @param kinds of things that can be watched one by one, e.g. `operation`
 */
export function liveApiOf(kinds: readonly string[]) {
  const topics = kinds.map((kind) => `${kind}:…`).join(', ');
  return routesOf('Live', {
    watch: {
      method: 'GET',
      path: '/v1.0/live',
      permission: 'read',
      scope: 'filtered',
      load: 'stream',
      summary: 'Watch for changes, as Server-Sent Events',
      description:
        'Callers limited to vehicle models are notified only of changes to these models. `hello`, at the start: reload everything. `changed`: `{topics}`. `away`: the database does not answer. `alive`: sent regularly, so that a broken connection is noticed.',
      query: Type.Object({
        topic: Type.Optional(
          Type.Array(
            Pattern(
              `^(?:${kinds.join('|')}):[^\\u0000-\\u001F\\u007F]+$`,
              `must be one of ${topics}`,
              { maxLength: 300 },
            ),
            { maxItems: MAX_TOPICS, description: `What to watch besides the lists: ${topics}.` },
          ),
        ),
      }),
      answer: stream(
        'text/event-stream',
        'Server-Sent Events (WHATWG HTML, section 9.2).',
        ServerSentEvent,
      ),
    },
  });
}
