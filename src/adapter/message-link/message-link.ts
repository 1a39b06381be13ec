/** The vehicles' message platform as the adapter sees it: one port, embedded or a real broker. */
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { type Arrival } from '../d2c-receiver/index.js';

/** What the adapter does with what comes from vehicles. */
export interface LinkHandlers {
  /** `settle` acknowledges the message to its sender; it is called once it is safe on disk. */
  readonly onMessage: (message: Arrival) => void;
  /** Resolves when more messages may be taken; undefined: at once. */
  readonly backpressure: () => Promise<void> | undefined;
  /** The vehicle listens to its topic now; a broker of its own does not tell. */
  readonly onVehicleConnected: (systemId: string) => void;
  /** The connection to the broker is there, again. */
  readonly onUp: () => void;
  /** This adapter reads what vehicles send, from now on. */
  readonly onSubscribed: () => void;
  readonly onProblem: (error: Error) => void;
}

export interface MessageLink {
  /** Where vehicles connect to, as host:port. */
  readonly address: string;
  readonly protocol: string;
  /** Whether messages can pass at this moment: to vehicles, and from them unless another adapter reads. */
  readonly isConnected: boolean;
  /** Whether this adapter reads what vehicles send. */
  readonly isSubscribed: boolean;
  /** Resolves when the broker has taken the message (QoS 1). */
  publish(message: OutgoingMessage): Promise<void>;
  /** Takes no more messages from vehicles; what was taken can still be settled. */
  pause(): Promise<void>;
  close(): Promise<void>;
}
