/** A vehicle's connection to the message platform. */

export interface CloudLinkHandlers {
  /** A message on the vehicle's own C2D topic. */
  readonly onMessage: (payload: Uint8Array) => void;
  /** The connection is there, again. */
  readonly onUp: () => void;
  /** The connection is gone. */
  readonly onDown?: () => void;
}

/** The platform has acknowledged a message and said that nobody listens (MQTT 5, PUBACK reason 0x10). */
export class NobodyListens extends Error {
  override readonly name = 'NobodyListens';
}

/** The vehicle’s connection to the cloud, as the agent needs it. {@link MqttLink} is the one over MQTT. */
export interface CloudLink {
  /** Connects, and connects again whenever the connection breaks, until closed. */
  open(handlers: CloudLinkHandlers): void;
  readonly isUp: boolean;
  /**
   * Publishes on the vehicle's own D2C topic; resolves when the platform has acknowledged it.
   *
   * @throws NobodyListens; Error where the link was closed before
   */
  publish(payload: Buffer): Promise<void>;
  /** Can be opened again. */
  close(): Promise<void>;
}
