/**
 * Traces that follow a trigger from its HTTP request to the vehicle's events (OpenTelemetry, OTLP over HTTP; off by
 * default). The trace context (W3C Trace Context) travels in the `property_bag` of the OTA_TRIGGER and returns in that of
 * the acknowledgement and the events.
 */
import { hash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { cloudMessageId } from '../../contract/index.js';
import { type ClaimedTrigger } from '../c2d-sender/index.js';

import { type Tracing, type TracingOptions } from './tracing.js';

/** Given to the collector when the adapter stops. */
const STOP_MS = 2_000;

export function startTracing(options: TracingOptions): Tracing {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'otaops',
      'service.version': options.version,
      'service.instance.id': options.instance,
    }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: options.otlpUrl }))],
  });
  const tracer = provider.getTracer('otaops', options.version);
  return {
    request: (traceParent, refId, work) =>
      inSpan(tracer, contextOf(traceParent), 'trigger operation', SpanKind.SERVER, (span) => {
        span.setAttribute('ota.ref_id', refId);
        return work(traceParentOf(span));
      }),
    send: (trigger, send) => {
      if (trigger.trace_parent === null || !isTraced(trigger.vin, options.ratio)) {
        return send(undefined);
      }
      const parent = contextOf(trigger.trace_parent);
      return inSpan(tracer, parent, 'OTA_TRIGGER', SpanKind.PRODUCER, (span) => {
        span.setAttributes(attributesOf(trigger));
        return send(traceParentOf(span));
      });
    },
    stored(message, now) {
      if (message.traceParent === null) return;
      const name = message.kind === 'ack' ? 'OTA_TRIGGER_ACK' : 'OTA_EVENT';
      const startTime = message.received.receivedAt;
      const span = tracer.startSpan(
        name,
        { kind: SpanKind.CONSUMER, startTime },
        contextOf(message.traceParent),
      );
      span.setAttributes({
        'ota.vin': message.vin,
        'messaging.message.id': message.messageId,
        'messaging.message.conversation_id': message.correlationId,
        ...(message.statusName === null ? {} : { 'ota.status': message.statusName }),
      });
      span.end(now);
    },
    // The last spans are worth a moment, not a shutdown that waits for a collector that is gone.
    stop: () =>
      Promise.race([
        provider.shutdown().catch(() => undefined),
        setTimeout(STOP_MS, undefined, { ref: false }),
      ]),
  };
}

async function inSpan<T>(
  tracer: Tracer,
  parent: Context,
  name: string,
  kind: SpanKind,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, { kind }, parent);
  try {
    return await work(span);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    throw error;
  } finally {
    span.end();
  }
}

const attributesOf = (trigger: ClaimedTrigger) => ({
  'ota.ref_id': trigger.ref_id,
  'ota.vin': trigger.vin,
  'ota.send': trigger.sends + 1,
  'messaging.system': 'mqtt',
  'messaging.message.id': cloudMessageId(trigger.trigger_id),
});

/** W3C Trace Context, 3.2: version, trace id, parent id, flags. */
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The context of a `traceparent`; a new one if it is invalid or absent. */
function contextOf(traceParent: string | undefined): Context {
  const [, traceId = '', spanId = '', flags = '0'] = TRACE_PARENT.exec(traceParent ?? '') ?? [];
  const spanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
  return isSpanContextValid(spanContext)
    ? trace.setSpanContext(ROOT_CONTEXT, spanContext)
    : ROOT_CONTEXT;
}

/** @returns undefined if the span is not recorded */
function traceParentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if ((traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return `00-${traceId}-${spanId}-01`;
}

const RATIO_DIGITS = 8;

/** Always the same vehicles, so that a repeated trigger is traced if the first one was. */
function isTraced(vin: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  const share = Number.parseInt(hash('sha256', vin, 'hex').slice(0, RATIO_DIGITS), 16);
  return share < ratio * 16 ** RATIO_DIGITS;
}
