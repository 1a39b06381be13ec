/** A vehicle's connection to the broker. */

export interface CloudLinkHandlers {
  /** Called with a message on the vehicle's own C2D topic. */
  readonly onMessage: (payload: Uint8Array) => void;
  /** Called when connected, also after a reconnect. */
  readonly onUp: () => void;
  /** Called when the connection is lost. */
  readonly onDown?: () => void;
}

/** The broker has acknowledged a message, but its topic has no subscriber (MQTT 5, PUBACK reason code 0x10). */
export class NoSubscriber extends Error {
  override readonly name = 'NoSubscriber';
}

/** The vehicle’s connection to the cloud, as the agent needs it. {@link MqttLink} is the one over MQTT. */
export interface CloudLink {
  /** Connects, and reconnects whenever the connection breaks, until closed. */
  open(handlers: CloudLinkHandlers): void;
  readonly isUp: boolean;
  /**
   * Publishes on the vehicle's own D2C topic; resolves once the broker has acknowledged it.
   *
   * @throws NoSubscriber; Error if the link was closed first
   */
  publish(payload: Buffer): Promise<void>;
  /** Can be opened again. */
  close(): Promise<void>;
}
