/** The caller as the audit log names it. */
import { type FastifyRequest } from 'fastify';
import { type Actor } from '../audit/index.js';
import { callerOf } from './serve.js';

export function actorOf(request: FastifyRequest, reason = ''): Actor {
  const { id, name } = callerOf(request);
  return { id, name, reason };
}
