/** The vehicles' messaging platform as the adapter sees it: one interface, an embedded or a real broker behind it. */
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { type Arrival } from '../d2c-receiver/index.js';

/** What the adapter does with messages from vehicles. */
export interface LinkHandlers {
  /** A message from a vehicle. The link acknowledges it to its sender only when the handler says so. */
  readonly onMessage: (message: Arrival) => void;
  /** Resolves when there is room for more messages; undefined: there is room. */
  readonly backpressure: () => Promise<void> | undefined;
  /** Whether everything that was passed to `onMessage` is stored. */
  readonly isAllStored: () => boolean;
  /** The vehicle has subscribed to its topic. A real broker reports this only on a presence topic. */
  readonly onVehicleConnected: (systemId: string) => void;
  /** The connection to the broker is up, for the first time or again. */
  readonly onUp: () => void;
  /** From now on this adapter reads the vehicles' messages. */
  readonly onSubscribed: () => void;
  readonly onProblem: (error: Error) => void;
}

export interface MessageLink {
  /**
   * Starts to pass messages, called once. A real broker that is unreachable is retried in the background.
   *
   * @throws Error with code EADDRINUSE where the embedded broker's port is taken; DatabaseError
   */
  open(handlers: LinkHandlers): Promise<void>;
  /** Where vehicles connect, as host:port; of the embedded broker, known once it is open. */
  readonly address: string;
  readonly protocol: string;
  /** Of the embedded broker: where vehicles connect with TLS, if they can. */
  readonly tlsAddress?: string | undefined;
  /** Whether messages can pass now: to vehicles, and from them unless another adapter reads them. */
  readonly isConnected: boolean;
  /** Whether this adapter reads the vehicles' messages. */
  readonly isSubscribed: boolean;
  /** Resolves when the broker has accepted the message (QoS 1). */
  publish(message: OutgoingMessage): Promise<void>;
  /** Reads no more messages; those already read can still be acknowledged. */
  pause(): Promise<void>;
  close(): Promise<void>;
}
