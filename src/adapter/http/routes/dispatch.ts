/** `/v1.0/dispatch`: the global rate limit, shared by all adapters on this database. */
import { dispatchApi } from '../../../contract/adapter-api/index.js';
import { actorOf, serve, type Server } from '../../../service/http/index.js';
import { recordAction } from '../../audit/index.js';
import { groupRate, setGroupRate } from '../../c2d-sender/index.js';
import { type HttpContext } from '../context.js';

export function dispatchRoutes(server: Server, context: HttpContext): void {
  const { database, clock, log } = context;

  serve(server, dispatchApi.getDispatch, async () => ({
    triggersPerSecond: await groupRate(database),
  }));

  serve(server, dispatchApi.changeDispatch, async ({ request, body }) => {
    const { triggersPerSecond, reason } = body;
    const by = actorOf(request, reason);
    const now = clock();
    await database.transaction(async (tx) => {
      const before = await setGroupRate(tx, triggersPerSecond);
      await recordAction(tx, by, now, 'change-rate', { detail: { before, triggersPerSecond } });
    });
    log.info({ triggersPerSecond, by: by.name }, 'global rate limit changed');
    context.wakeSender();
    return { triggersPerSecond };
  });
}
