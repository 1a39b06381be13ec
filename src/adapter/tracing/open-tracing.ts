/** Opens tracing. It is off by default; OpenTelemetry is then not even loaded. */
import { type Tracing, type TracingOptions } from './tracing.js';

const NO_TRACING: Tracing = {
  request: (_traceParent, _refId, work) => work(undefined),
  send: (_trigger, send) => send(undefined),
  stored: () => undefined,
  stop: () => Promise.resolve(),
};

/** @param options undefined: no tracing */
export async function openTracing(options: TracingOptions | undefined): Promise<Tracing> {
  if (!options) return NO_TRACING;
  const { startTracing } = await import('./open-telemetry.js');
  return startTracing(options);
}
