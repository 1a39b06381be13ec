/** Health, metrics, and the documents of both interfaces. */
import Type from 'typebox';
import { problemOf } from '../../../service/database/index.js';
import { describeRoute, json, type Server, serviceRoutes } from '../../../service/http/index.js';
import { type HttpContext } from '../context.js';

export function adapterServiceRoutes(server: Server, context: HttpContext): void {
  serviceRoutes(server, {
    metrics: context.metrics,
    parts: async () => ({
      database: await problemOf(context.database),
      messageLink: context.linkConnected() ? undefined : 'the MQTT broker is not connected',
    }),
  });

  server.get(
    '/asyncapi.json',
    describeRoute(undefined, {
      tags: ['Service'],
      summary: 'The MQTT interface as an AsyncAPI 3 document',
      response: { 200: json(Type.Object({}), 'The document.') },
    }),
    () => context.asyncApi(),
  );
}
