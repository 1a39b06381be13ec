/** Off by default, and then OpenTelemetry is not loaded. */
import { type Tracing, type TracingOptions } from './tracing.js';

const NO_TRACING: Tracing = {
  request: (_traceParent, _refId, work) => work(undefined),
  send: (_trigger, send) => send(undefined),
  stored: () => undefined,
  stop: () => Promise.resolve(),
};

/** @param options undefined: nothing is traced */
export async function openTracing(options: TracingOptions | undefined): Promise<Tracing> {
  if (!options) return NO_TRACING;
  const { startTracing } = await import('./open-telemetry.js');
  return startTracing(options);
}
