/** Tracing as the rest of the adapter sees it. */
import { type TracedSend } from '../c2d-sender/index.js';
import { type Applicable } from '../d2c-receiver/index.js';

export interface TracingOptions {
  /** Where spans are sent, e.g. `http://collector:4318/v1/traces`. */
  readonly otlpUrl: string;
  /** Share of vehicles whose triggers are traced, from 0 to 1; always the same ones. */
  readonly ratio: number;
  readonly instance: string;
  readonly version: string;
}

export interface Tracing {
  /**
   * The request that triggers an operation.
   *
   * @param traceParent header of the request
   * @param work gets the trace context to pass on
   */
  request<T>(
    traceParent: string | undefined,
    refId: string,
    work: (traceParent: string | undefined) => Promise<T>,
  ): Promise<T>;
  readonly send: TracedSend;
  /** A vehicle's message has been stored. */
  stored(message: Applicable, now: number): void;
  stop(): Promise<void>;
}
