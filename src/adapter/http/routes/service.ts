/** Health, metrics, and the documents of both interfaces. */
import { asyncApi } from '../../../contract/adapter-api/index.js';
import { problemOf } from '../../../service/database/index.js';
import { serve, type Server, serviceRoutes } from '../../../service/http/index.js';
import { type HttpContext } from '../context.js';

export function adapterServiceRoutes(server: Server, context: HttpContext): void {
  serviceRoutes(server, {
    metrics: context.metrics,
    parts: async () => ({
      database: await problemOf(context.database),
      messageLink: context.linkConnected() ? undefined : 'the MQTT broker is not connected',
    }),
  });

  serve(server, asyncApi.getAsyncApi, () => context.asyncApi());
}
